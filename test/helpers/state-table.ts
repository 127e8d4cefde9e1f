/** Tests that every table of states has to pass, whatever its states mean. */
import { expect } from 'chai';
import type { Transitions } from '../../src/shared/state-machine.ts';

export interface StateTable<State extends string, Input extends string> {
  readonly table: Transitions<State, Input>;
  readonly states: readonly State[];
  readonly inputs: readonly Input[];
  /** Throws on a move that the table does not have. */
  readonly step: (state: State, input: Input) => State;
  readonly first: State;
  /** States that no input leads out of. */
  readonly last: readonly State[];
}

export function describeStateTable<State extends string, Input extends string>(
  title: string,
  { table, states, inputs, step, first, last }: StateTable<State, Input>,
): void {
  const targets = (state: State): State[] =>
    inputs.map((input) => table[state][input]).filter((next) => next !== undefined);
  const reachedFrom = (start: State): Set<State> => {
    const reached = new Set([start]);
    for (const state of reached) for (const next of targets(state)) reached.add(next);
    return reached;
  };

  describe(title, () => {
    it('takes the moves of its table, and refuses each other one by name', () => {
      for (const state of states) {
        for (const input of inputs) {
          const next = table[state][input];
          if (next === undefined) expect(() => step(state, input)).to.throw(`no input '${input}' in state '${state}'`);
          else expect(step(state, input), `${state} + ${input}`).to.equal(next);
        }
      }
    });

    it('names its states and inputs, and uses all of them', () => {
      expect(Object.keys(table)).to.have.members([...states]);
      const used = states.flatMap((state) => Object.keys(table[state]));
      expect([...new Set(used)]).to.have.members([...inputs]);
    });

    it(`reaches every state from '${first}'`, () => {
      expect([...reachedFrom(first)]).to.have.members([...states]);
    });

    it('reaches a last state from every other one, and leaves no last state', () => {
      for (const state of states) {
        const reached = reachedFrom(state);
        if (last.includes(state)) expect([...reached], state).to.deep.equal([state]);
        else
          expect(
            last.some((end) => reached.has(end)),
            `an end is reached from '${state}'`,
          ).to.equal(true);
      }
    });
  });
}
