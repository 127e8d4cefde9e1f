/**
 * The states of a connection, one for each direction, and of the response in progress. Whether a connection is idle,
 * active or closing is derived from the two directions.
 */
import { stepFunctions } from '../../shared/state-machine.ts';
import type { Transitions } from '../../shared/state-machine.ts';

/** In or before a head; in a body; a complete request is being answered; no further request will be read. */
export const readingStates = ['head', 'body', 'held', 'over'] as const;
export const readingInputs = ['request', 'request-with-body', 'body-end', 'response', 'stop'] as const;
export type ReadingState = (typeof readingStates)[number];
export type ReadingInput = (typeof readingInputs)[number];

export const readingTable: Transitions<ReadingState, ReadingInput> = {
  head: { 'request': 'held', 'request-with-body': 'body', 'stop': 'over' },
  body: { 'body-end': 'held', 'stop': 'over' },
  held: { response: 'head', stop: 'over' },
  over: { stop: 'over' },
};
export const nextReadingState = stepFunctions('reading', readingTable, readingInputs);

/**
 * No response is in progress; one is; FIN is sent after the queued output; the connection is closed or has another
 * owner.
 */
export const writingStates = ['idle', 'open', 'closing', 'gone'] as const;
export const writingInputs = ['request', 'response', 'close', 'lost'] as const;
export type WritingState = (typeof writingStates)[number];
export type WritingInput = (typeof writingInputs)[number];

export const writingTable: Transitions<WritingState, WritingInput> = {
  idle: { request: 'open', close: 'closing', lost: 'gone' },
  open: { response: 'idle', close: 'closing', lost: 'gone' },
  closing: { close: 'closing', lost: 'gone' },
  gone: {},
};
export const nextWritingState = stepFunctions('writing', writingTable, writingInputs);

/**
 * Waiting for the application's head; the head was given; the head was sent; the deadline has passed and the server has
 * responded itself; all bytes are in the output; the application took the socket; settled.
 */
export const responseStates = ['waiting', 'started', 'streaming', 'expired', 'complete', 'taken', 'over'] as const;
export const responseInputs = ['start', 'send', 'end', 'respond', 'expire', 'take', 'settle'] as const;
export type ResponseState = (typeof responseStates)[number];
export type ResponseInput = (typeof responseInputs)[number];

export const responseTable: Transitions<ResponseState, ResponseInput> = {
  waiting: { start: 'started', respond: 'complete', expire: 'expired', take: 'taken', settle: 'over' },
  started: { start: 'started', send: 'streaming', respond: 'complete', expire: 'expired', settle: 'over' },
  streaming: { end: 'complete', expire: 'expired', settle: 'over' },
  expired: { respond: 'expired', end: 'expired', settle: 'over' },
  complete: { settle: 'over' },
  taken: { settle: 'over' },
  over: {},
};
export const nextResponseState = stepFunctions('response', responseTable, responseInputs);
