import { Reflector } from '@nestjs/core';

/**
 * On a GET handler: it may be opened with a stream ticket in `?ticket=`. The value is the route parameter that holds the run's
 * id. No other route takes tickets, so that nothing in a URL can do more than read one run's events.
 */
export const AcceptsTicket = Reflector.createDecorator<string>();
