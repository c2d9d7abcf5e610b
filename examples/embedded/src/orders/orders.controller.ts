import { Controller, Get, NotFoundException, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentUser, type User } from '../auth/user.js';
import type { Order } from './order.js';
import { OrdersService } from './orders.service.js';

@ApiTags('orders')
@ApiBearerAuth()
@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get()
  list(@CurrentUser() user: User): readonly Order[] {
    return this.orders.of(user.company);
  }

  @Get(':id')
  get(@CurrentUser() user: User, @Param('id') id: string): Order {
    const order = this.orders.find(user.company, id);
    if (!order) throw new NotFoundException();
    return order;
  }
}
