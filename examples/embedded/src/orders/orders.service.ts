import { Injectable } from '@nestjs/common';
import { AgentTool, type ToolContext } from 'nestjs-agent-stream';
import { z } from 'zod';
import type { Order } from './order.js';

const FindOrder = z.object({ id: z.string().describe('The order number, such as A-17.') });

@Injectable()
export class OrdersService {
  private readonly orders: Order[] = [
    { id: 'A-17', company: 'acme', state: 'shipped', lines: [{ article: 'Anvil', count: 2 }] },
    { id: 'G-4', company: 'globex', state: 'open', lines: [{ article: 'Laser', count: 1 }] },
  ];

  of(company: string): readonly Order[] {
    return this.orders.filter((order) => order.company === company);
  }

  find(company: string, id: string): Order | undefined {
    return this.of(company).find((order) => order.id === id);
  }

  @AgentTool({
    name: 'find_order',
    label: ({ id }) => `Looking up order ${id}…`,
    description:
      "Finds one of the customer's orders by its number: what was ordered, and whether it has been shipped.",
    input: FindOrder,
    expose: { input: true, output: ['id', 'state'] },
  })
  findForAgent({ id }: z.infer<typeof FindOrder>, { principal }: ToolContext): Order | string {
    return this.find(principal.tenant, id) ?? `There is no order ${id}.`;
  }

  @AgentTool({
    name: 'cancel_order',
    label: ({ id }) => `Cancelling order ${id}…`,
    description: "Cancels one of the customer's orders.",
    input: FindOrder,
    expose: { input: true },
    approval: true,
    sideEffect: 'idempotent',
  })
  cancelForAgent({ id }: z.infer<typeof FindOrder>, { principal }: ToolContext): string {
    const order = this.find(principal.tenant, id);
    if (!order) return `There is no order ${id}.`;
    this.orders.splice(this.orders.indexOf(order), 1);
    return `Order ${id} is cancelled.`;
  }
}
