import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool } from '../../src/index.js';
import { chatServers } from '../support/chat.server.js';
import { findViolations } from './support/accessibility.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

const ADDRESS = z.object({ city: z.string(), zip: z.string().optional() });
const ORDER = z
  .object({
    to: z.string().min(2).meta({ title: 'Recipient' }).describe('Secret advice for the model.'),
    note: z.string(),
    amount: z.number().positive(),
    pieces: z.int().min(1).max(9),
    speed: z.enum(['slow', 'fast']),
    gift: z.boolean(),
    insured: z.boolean().optional(),
    due: z.iso.date(),
    day: z.string().meta({ format: 'date' }).optional(),
    tags: z.array(z.string()),
    sizes: z.array(z.int()),
    colors: z.array(z.enum(['red', 'blue'])),
    address: ADDRESS,
    billing: ADDRESS.optional(),
    coupon: z.string().nullable(),
    either: z.union([z.string(), z.number()]),
    items: z.array(z.object({ id: z.string() })),
    empty: z.string(),
  })
  .refine(({ to }) => to !== 'Eve', { path: ['to'], message: 'Eve may not order.' });

const ASKED: z.input<typeof ORDER> = {
  to: 'Ada',
  note: 'Two\nlines',
  amount: 1.5,
  pieces: 2,
  speed: 'fast',
  gift: true,
  due: '2027-01-31',
  // No calendar has it, and the browser's control for dates would drop it.
  day: '2026-02-30',
  tags: ['a', 'b c'],
  sizes: [3, -4],
  colors: ['blue'],
  address: { city: 'Bern' },
  coupon: null,
  either: 7,
  items: [{ id: 'x' }],
  empty: '',
};

const ordered: unknown[] = [];

@Injectable()
class Orders {
  @AgentTool({ name: 'order', label: 'Ordering…', description: 'Orders.', input: ORDER, approval: true })
  order(input: z.output<typeof ORDER>): string {
    ordered.push(input);
    return 'done';
  }

  @AgentTool({
    name: 'whisper',
    label: 'Whispering…',
    description: 'Whispers.',
    input: z.object({ to: z.string(), secret: z.string() }),
    approval: { shows: ['to'] },
  })
  whisper(): string {
    return 'done';
  }
}

describeInChromium('page on which the arguments of a call are changed', (chromium) => {
  const serve = chatServers();

  async function asked(name = 'order', args: object = ASKED) {
    const model = new ScriptedModel((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['All done.'] }
        : { calls: [{ id: 'o', name, args: JSON.stringify(args) }] },
    );
    const server = await serve({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Orders.', model })],
      tools: [Orders],
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), { mayFail: true }));
    await chat.ask('Order!');
    await chat.stands('awaiting-input');
    const card = chat.page.getByTestId('approval');
    await card.getByRole('button', { name: 'Change…' }).click();
    const field = (label: string) => card.getByLabel(label, { exact: true });
    const send = () => card.getByRole('button', { name: 'Approve with changes' }).click();
    return { server, chat, card, field, send };
  }

  it('offers a control for each argument, and leaves alone what is not touched', async () => {
    const { chat, card, field, send } = await asked();
    expect(await field('Recipient').evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await findViolations(chat.page)).toEqual([]);
    expect(
      await card.getByLabel('speed').evaluate((select: HTMLSelectElement) => select.options.length),
    ).toBe(3);
    expect(await field('note').inputValue()).toBe('Two\nlines');
    expect(await field('due').getAttribute('type')).toBe('date');
    await send();
    await chat.shows('All done.');
    expect(ordered.at(-1)).toEqual(ASKED);
  });

  it('keeps what was changed, and the form, when it cannot be shown as JSON yet', async () => {
    const { chat, card, field, send } = await asked();
    await field('Recipient').fill('Bob');
    await card.getByLabel('items').fill('[{');
    await card.getByRole('button', { name: 'Edit as JSON' }).click();
    expect(await field('Recipient').inputValue()).toBe('Bob');
    await card.getByLabel('items').fill('[]');
    await card.getByRole('button', { name: 'Edit as JSON' }).click();
    expect(JSON.parse(await field('Arguments, as JSON').inputValue())).toMatchObject({
      to: 'Bob',
      items: [],
    });
    await send();
    await chat.shows('All done.');
    expect(ordered.at(-1)).toEqual({ ...ASKED, to: 'Bob', items: [] });
  });

  it('sends what was changed, as the types of the arguments', async () => {
    const { chat, card, field, send } = await asked();
    await field('Recipient').fill('Bob');
    await field('amount').fill('2.25');
    await field('pieces').fill('9');
    await card.getByLabel('speed').selectOption('slow');
    await field('gift').uncheck();
    await field('insured (optional)').check();
    await field('due').fill('2027-02-01');
    await card.getByLabel('tags').fill('one\n\n two ');
    await card.getByLabel('sizes').fill('');
    await card.getByLabel('colors').selectOption(['red', 'blue']);
    await field('city').fill('Basel');
    await field('zip (optional)').fill('4001');
    await card.getByLabel('billing').fill('{"city":"Chur"}');
    await field('coupon').fill('X1');
    await card.getByLabel('either').fill('"word"');
    await card.getByLabel('items').fill('[]');
    await send();
    await chat.shows('All done.');
    expect(ordered.at(-1)).toEqual({
      ...ASKED,
      to: 'Bob',
      amount: 2.25,
      pieces: 9,
      speed: 'slow',
      gift: false,
      insured: true,
      due: '2027-02-01',
      tags: ['one', 'two'],
      sizes: [],
      colors: ['red', 'blue'],
      address: { city: 'Basel', zip: '4001' },
      billing: { city: 'Chur' },
      coupon: 'X1',
      either: 'word',
      items: [],
    });
  });

  it('says at the field what is wrong, in the browser and by the server', async () => {
    const { card, field, send, chat } = await asked();
    const message = (label: string) =>
      field(label).evaluate((control: HTMLInputElement) => control.validationMessage);
    const isFocused = (label: string) =>
      field(label).evaluate((element) => element === document.activeElement);

    await field('amount').fill('0');
    await send();
    expect([await message('amount'), await isFocused('amount')]).toEqual(['It has to be more than 0.', true]);
    await field('amount').fill('1');
    await card.getByLabel('items').fill('[{');
    await send();
    expect(
      await card.getByLabel('items').evaluate((control: HTMLTextAreaElement) => control.validationMessage),
    ).toBe("That isn't valid JSON.");
    await card.getByLabel('items').fill('[]');
    await field('Recipient').fill('Eve');
    await send();
    await card.getByText('Eve may not order.').waitFor();
    expect([await message('Recipient'), await isFocused('Recipient')]).toEqual(['Eve may not order.', true]);
    expect(await card.getAttribute('data-decision')).toBe('open');

    // The text has what was filled in.
    await field('Recipient').fill('Eva');
    await card.getByRole('button', { name: 'Edit as JSON' }).click();
    expect(JSON.parse(await card.getByLabel('Arguments, as JSON').inputValue())).toMatchObject({
      to: 'Eva',
      amount: 1,
      items: [],
    });
    await send();
    await chat.shows('All done.');
  });

  it('tells people nothing that is written for the model, and offers text where the tool hides arguments', async () => {
    const { server, chat } = await asked();
    const [request] = ((await server.call('GET', '/inbox')).body['items'] ?? []) as { schema?: object }[];
    expect(request?.schema).toMatchObject({ properties: { to: { title: 'Recipient' } } });
    expect(JSON.stringify(request)).not.toContain('Secret advice');
    expect(await chat.page.content()).not.toContain('Secret advice');

    const hidden = await asked('whisper', { to: 'Ada', secret: 'rosebud' });
    await hidden.card.getByLabel('Arguments, as JSON').waitFor();
    const { body } = await hidden.server.call('GET', '/inbox');
    expect(JSON.stringify(body)).not.toMatch(/secret|rosebud|schema/);
  });
});
