/** What the reading side of a connection (request-reading.ts) asks of the connection. */
import type { ErrorCode } from '../../shared/errors.ts';
import type { RequestInput } from '../request/input.ts';

export interface ReadingOwner {
  /** a response is under way: its application may read the body */
  readonly isAnswering: boolean;
  /** the body of the request under way */
  readonly input: RequestInput | undefined;
  /** the client takes answers fast enough for another request */
  readonly mayBegin: boolean;
  /** why the request whose head the parser holds is not for this server; undefined when it is */
  headFault(): ErrorCode | undefined;
  /** the parser holds a head */
  begin(): void;
  /** what came of its body together with the head has been delivered: the application's turn */
  call(): void;
  /** the body of the request under way has come */
  bodyEnded(): void;
  /** whatever was under way has been answered, body and all */
  requestEnded(): void;
  /** nothing more will be read, for the reason given; called once */
  refused(code: ErrorCode): void;
  /** the client has shut down its side between two requests */
  inputEnded(): void;
  /** all that could be done with the bytes there are was done */
  pumped(): void;
  /** nobody reads the rest of this body, and there is too much of it */
  tooMuchToDiscard(): void;
}
