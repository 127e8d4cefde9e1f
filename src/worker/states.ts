/**
 * What a connection is doing, as one word for each direction - idle, active and closing are derived from the two - and
 * how far the response under way is.
 */
import { stateMachine } from '../shared/state-machine.ts';

/** in or before a head; in a body; a whole request is being answered; no further request will be read */
export type ReadingState = 'head' | 'body' | 'held' | 'over';
export const nextReadingState = stateMachine<
  ReadingState,
  'request' | 'request-with-body' | 'body-end' | 'response' | 'stop'
>('reading', {
  head: { 'request': 'held', 'request-with-body': 'body', 'stop': 'over' },
  body: { 'body-end': 'held', 'stop': 'over' },
  held: { response: 'head', stop: 'over' },
  over: { stop: 'over' },
});

/** no response under way; one is; FIN goes out after what is queued; the socket is gone or somebody else's */
export type WritingState = 'idle' | 'open' | 'closing' | 'gone';
export const nextWritingState = stateMachine<WritingState, 'request' | 'response' | 'close' | 'lost'>('writing', {
  idle: { request: 'open', close: 'closing', lost: 'gone' },
  open: { response: 'idle', close: 'closing', lost: 'gone' },
  closing: { close: 'closing', lost: 'gone' },
  gone: {},
});

/**
 * waiting for the head; head given; head sent; past its deadline, so that it is no longer the application's; no more bytes
 * will be handed to the connection; socket given away; settled
 */
export type ResponseState = 'waiting' | 'started' | 'streaming' | 'expired' | 'complete' | 'taken' | 'over';
type ResponseStep = 'start' | 'send' | 'end' | 'respond' | 'expire' | 'take' | 'settle';

export const nextResponseState = stateMachine<ResponseState, ResponseStep>('response', {
  waiting: { start: 'started', respond: 'complete', expire: 'expired', take: 'taken', settle: 'over' },
  started: { start: 'started', send: 'streaming', respond: 'complete', expire: 'expired', settle: 'over' },
  streaming: { end: 'complete', expire: 'expired', settle: 'over' },
  expired: { respond: 'complete', end: 'complete', settle: 'over' },
  complete: { settle: 'over' },
  taken: { settle: 'over' },
  over: {},
});
