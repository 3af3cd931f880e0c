import { isPilotMap } from '../points/pilot.js';
import { faultSourceName } from '../study/fault-source.js';
import { MOST_MAPS } from '../study/study.js';
import type { Trial } from '../trial/trial.js';
import {
  type ConditionState,
  nextHandOut,
  nextMap,
  reservedTrial,
  reserveTrial,
} from './condition-state.js';

/** A trial that waits for its thread. */
interface Reservation {
  readonly state: ConditionState;
  readonly number: number;
}

/**
 * The order in which the threads of a study run its trials; the function gives the next trial of a thread, undefined
 * when none can be handed out before a running one has ended.
 *
 * Networks follow one another, because a thread keeps one at a time. Within a network pilots come first, then all
 * conditions that are still open map by map. The conditions that differ by their rates alone have nested maps, which
 * one thread draws in one go: it gets all of their trials with one map, rates ascending. A thread for which nothing
 * else is left takes the last of what waits for another.
 */
export function createSchedule(
  states: readonly ConditionState[],
): (thread: number) => Trial | undefined {
  const networks = groupBy(states, ({ condition: { model, format } }) => [model, format]);
  const sources = networks.map((network) => mapByMap(groupBy(network, familyOf).map(byRate)));
  const waiting = new Map<number, Reservation[]>();

  /** The next trials with one map. */
  function reserve(): Reservation[] {
    for (const next of sources) {
      const together = next();
      // The next network waits, too: changing networks costs more than the rest of a pilot.
      if (together === 'wait') return [];
      if (together) return together.map((state) => ({ state, number: reserveTrial(state) }));
    }
    return [];
  }

  /** One of another thread's. */
  function steal(): Reservation | undefined {
    const longest = [...waiting.values()].reduce(
      (most, queue) => (queue.length > most.length ? queue : most),
      [],
    );
    return longest.pop();
  }

  return (thread) => {
    for (;;) {
      let queue = waiting.get(thread) ?? [];
      if (queue.length === 0) {
        queue = reserve();
        waiting.set(thread, queue);
      }
      const reservation = queue.shift() ?? steal();
      if (!reservation) return undefined;
      const trial = reservedTrial(reservation.state, reservation.number);
      if (trial) return trial;
    }
  };
}

/** What conditions whose maps are nested have in common. */
function familyOf({ condition }: ConditionState): readonly string[] {
  const { accelerator, storage, source, scope } = condition;
  return [accelerator, storage, faultSourceName(source), scope];
}

function byRate(states: readonly ConditionState[]): ConditionState[] {
  return states.toSorted((a, b) => a.condition.rate - b.condition.rate);
}

function groupBy(
  states: readonly ConditionState[],
  keyOf: (state: ConditionState) => readonly string[],
): ConditionState[][] {
  const groups = new Map<string, ConditionState[]>();
  for (const state of states) {
    const key = JSON.stringify(keyOf(state));
    const group = groups.get(key);
    if (group) group.push(state);
    else groups.set(key, [state]);
  }
  return [...groups.values()];
}

/** Maps in the order in which they are run: those of pilots have the largest numbers, but come first. */
function levelOf(state: ConditionState): number {
  const map = nextMap(state);
  return isPilotMap(map) ? map - 2 * MOST_MAPS : map;
}

/**
 * A function that gives, again and again, the conditions of a family that have a trial with the lowest map of all
 * families, the first of equals; `wait` when only pilots that have not ended will have one.
 */
function mapByMap(
  families: readonly (readonly ConditionState[])[],
): () => readonly ConditionState[] | 'wait' | undefined {
  let level = Number.NEGATIVE_INFINITY;
  let nextLevel = Number.POSITIVE_INFINITY;
  let position = 0;
  let someWait = false;
  return () => {
    for (;;) {
      for (; position < families.length; position += 1) {
        const family = families[position];
        const ready = family.filter((state) => nextHandOut(state) === 'trial');
        someWait ||= family.some((state) => nextHandOut(state) === 'wait');
        if (ready.length === 0) continue;
        const lowest = Math.min(...ready.map(levelOf));
        if (lowest <= level) return ready.filter((state) => levelOf(state) === lowest);
        nextLevel = Math.min(nextLevel, lowest);
      }
      const end = nextLevel === Number.POSITIVE_INFINITY;
      const waits = someWait;
      level = Math.max(level, nextLevel);
      position = 0;
      nextLevel = Number.POSITIVE_INFINITY;
      someWait = false;
      if (end) return waits ? 'wait' : undefined;
    }
  };
}
