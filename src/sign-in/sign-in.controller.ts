import { Controller, UseFilters } from '@nestjs/common';
import { SessionController } from '../auth/session.controller.js';
import { ApiProblems } from '../http/api-problems.decorator.js';
import { ProblemFilter } from '../http/problem.filter.js';

/** Sign-in and sign-out, beside the chat; its errors are problems like those of all our routes. */
@Controller()
@UseFilters(ProblemFilter)
@ApiProblems([
  'REQUEST_INVALID',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'ORIGIN_REFUSED',
  'NOT_FOUND',
  'RATE_LIMITED',
])
export class SignInController extends SessionController {}
