/** A picture of one pixel. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Uses Agent Chat UI as a person does. */
export async function driveAgentChat({ tab, checks, origin, apiUrl }) {
  const see = (text, options = {}) => tab.getByText(text, options).last().waitFor();
  const send = async (text) => {
    await tab.getByPlaceholder('Type your message...').fill(text);
    await tab.getByRole('button', { name: 'Send', exact: true }).click();
  };
  const isDone = () => tab.getByRole('button', { name: 'Send', exact: true }).waitFor();
  const openNew = async () => {
    await tab.getByRole('button', { name: 'New thread' }).click();
    await tab.waitForURL((url) => !url.searchParams.has('threadId'));
  };

  await checks.check('connects from its form', async () => {
    await tab.goto(origin);
    await tab.fill('#apiUrl', apiUrl);
    await tab.fill('#assistantId', 'agent');
    await tab.getByRole('button', { name: 'Continue' }).click();
    await tab.getByPlaceholder('Type your message...').waitFor();
  });

  await checks.check('shows a tool call, its result and the answer', async () => {
    await send('What is the weather in Oslo?');
    await see('Let me look.');
    await see('get_weather');
    await see('It said: Sunny in Oslo. That was question 1.');
    await isDone();
  });

  await checks.check('shows them again after a reload', async () => {
    await tab.reload();
    await see('What is the weather in Oslo?');
    await see('get_weather');
    await see('It said: Sunny in Oslo. That was question 1.');
  });

  await checks.check('continues the thread', async () => {
    await send('And what else?');
    await see(/You asked: And what else\?.* That was question 2\./);
    await isDone();
  });

  await checks.check('regenerates an answer, and switches between the two', async () => {
    const answer = tab.getByText(/You asked: And what else/).last();
    const first = await answer.textContent();
    await answer.hover();
    await tab.getByRole('button', { name: 'Refresh' }).last().click();
    await tab.getByText('2 / 2').last().waitFor({ state: 'attached' });
    await isDone();
    const second = await answer.textContent();
    if (second === first) throw new Error('The answer is the same.');
    await answer.hover();
    await tab.getByText('2 / 2').last().locator('xpath=preceding-sibling::button').click();
    await tab.getByText(first).waitFor();
    await tab.getByText('1 / 2').last().waitFor({ state: 'attached' });
  });

  await checks.check('edits a question', async () => {
    await tab.getByText('And what else?', { exact: true }).hover();
    await tab.getByRole('button', { name: 'Edit' }).last().click();
    await tab.locator('textarea').first().fill('And what then?');
    await tab.getByRole('button', { name: 'Submit' }).click();
    await see(/You asked: And what then\?.* That was question 2\./);
    await isDone();
  });

  await checks.check('lists its threads by their first message, and opens one', async () => {
    await openNew();
    await send('Another thread');
    await see(/You asked: Another thread/);
    await isDone();
    await tab.goto(`${tab.url()}&chatHistoryOpen=true`);
    await tab.getByRole('button', { name: 'Another thread' }).waitFor();
    await tab.getByRole('button', { name: 'What is the weather in Oslo?' }).click();
    await see('It said: Sunny in Oslo. That was question 1.');
    await see(/You asked: And what then\?/);
  });

  await checks.check('approves a call', async () => {
    await openNew();
    await send('Write a mail');
    await tab.getByRole('button', { name: 'Approve', exact: true }).click();
    await see('It said: Sent "Hello" to ann@example.com. That was question 1.');
    await isDone();
  });

  await checks.check('edits a call after a reload', async () => {
    await send('Write another mail');
    await tab.getByRole('button', { name: 'Approve', exact: true }).waitFor();
    await tab.reload();
    await tab.getByRole('button', { name: 'Approve', exact: true }).waitFor();
    await tab.waitForLoadState('networkidle');
    await tab.locator('textarea').filter({ hasText: 'Hello' }).fill('Goodbye');
    await tab.getByRole('button', { name: 'Submit' }).first().click();
    await see('It said: Sent "Goodbye" to ann@example.com. That was question 2.');
    await isDone();
  });

  await checks.check('rejects a call with a reason', async () => {
    await send('Write a third mail');
    await isDone();
    // The page forgets what was typed when it reads the state again at the end of the run.
    await tab.waitForLoadState('networkidle');
    await tab.getByPlaceholder('Share feedback with the agent...').fill('Not today');
    await tab.getByRole('button', { name: 'Submit rejection' }).click();
    await see(/It said: .*Not today.* That was question 3\./);
    await isDone();
  });

  await checks.check('marks a question as resolved', async () => {
    await send('Write a fourth mail');
    await tab.getByRole('button', { name: 'Mark as Resolved' }).click();
    await tab.getByRole('button', { name: 'Mark as Resolved' }).waitFor({ state: 'detached' });
    await isDone();
  });

  await checks.check('goes on with a message in place of an answer', async () => {
    await send('Write a fifth mail');
    await tab.getByRole('button', { name: 'Approve', exact: true }).waitFor();
    await send('Never mind');
    await see(/You asked: Never mind/);
    await isDone();
  });

  // From the end of the run on, the state names the picture as a file, and the page draws only bytes.
  checks.expectFault(/ERR_INVALID_URL/);
  await checks.check('sends a picture', async () => {
    await openNew();
    await tab.setInputFiles('#file-input', { name: 'dot.png', mimeType: 'image/png', buffer: PICTURE });
    await send('What is this?');
    await see('You sent a image of type image/png.');
    await isDone();
  });

  await checks.check('cancels an answer, and goes on', async () => {
    await openNew();
    await send('Speak slowly');
    await see(/Word after word/);
    await tab.getByRole('button', { name: 'Cancel' }).click();
    await isDone();
    await send('Are you there?');
    await see(/You asked: Are you there\?.* That was question 2\./);
  });
}
