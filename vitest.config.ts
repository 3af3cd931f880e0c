import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that replace a module, or whose helpers are set up once for each process: each has a process of its own. */
const ALONE = ['test/{bench,examples,fuzz,package}/**/*.test.ts', 'test/campaign/store/*.test.ts'];

/** Files that start commands take longest: last, one of them would keep one processor waiting for the other. */
const COMMANDS = /\/test\/(?:bench|cli|examples|package)\//;

class CommandsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [true, false].flatMap((wanted) =>
      sorted.filter(({ moduleId }) => COMMANDS.test(moduleId) === wanted),
    );
  }
}

export default defineConfig({
  test: {
    globalSetup: ['test/require-build.ts'],
    setupFiles: ['test/setup.ts'],
    // By default one processor of two is left idle.
    maxWorkers: '100%',
    sequence: { sequencer: CommandsFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      // To load all of Bitcell takes longer than most files take to run: these load it once for all.
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: ALONE, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
  },
});
