/** Answers by class of status, in plain numbers. */
import type { ServingStats } from '../../shared/protocol/messages.ts';

export type AnswerCounts = Pick<ServingStats, 'answers2xx' | 'answers3xx' | 'answers4xx' | 'answers5xx'>;

export const noAnswers = (): AnswerCounts => ({ answers2xx: 0, answers3xx: 0, answers4xx: 0, answers5xx: 0 });

/** `status` is 0 when nothing was sent. Returns whether this is the first answer. */
export function countAnswer(counts: AnswerCounts, status: number): boolean {
  if (status < 200) return false;
  const isFirst = counts.answers2xx + counts.answers3xx + counts.answers4xx + counts.answers5xx === 0;
  if (status < 300) counts.answers2xx += 1;
  else if (status < 400) counts.answers3xx += 1;
  else if (status < 500) counts.answers4xx += 1;
  else counts.answers5xx += 1;
  return isFirst;
}
