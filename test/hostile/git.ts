import type { HostileInputs } from './entry.ts';

const views = 'controller/src/repository/poller.hostile.test.ts';
const rewrites = 'controller/src/repository/poller.rewrite.test.ts';
const remotes = 'controller/src/repository/git-cli/hostile-remote.test.ts';
const objects = 'controller/src/repository/git-cli/hostile.test.ts';
const locks = 'controller/src/repository/git-cli/locks.test.ts';

/** What a git repository or its remote can hold. */
export const git: HostileInputs = {
  G01: {
    what: 'a tree with "..", ".git" or its look-alikes, a linked .gitmodules, two entries of one name',
    file: objects,
    tests: [
      'is refused for an entry named %j, and the last good commit stays readable',
      'is refused for two entries of one name, and for a link in place of .gitmodules',
      'is read again once it is mended',
    ],
  },
  G02: {
    what: 'a symbolic link in place of a manifest or a model',
    file: views,
    tests: ['refuses a link (%s) in place of a manifest or a model, and reads the others'],
  },
  G03: {
    what: 'a hard link, which needs a file on disk',
    file: views,
    tests: ['writes no file of the tree to disk, so that nothing can be linked to'],
  },
  G04: {
    what: 'a submodule in a place of ours',
    file: views,
    tests: ['refuses a submodule in a place of ours, and never fetches it'],
  },
  G05: {
    what: 'ref names that are options, ranges or lines',
    file: 'controller/src/repository/repository.contract.ts',
    tests: ['refuses a ref name that is none, before anybody is asked'],
  },
  G06: {
    what: 'addresses that run a command, hold a password or a line break, or name a local path',
    file: 'controller/src/repository/remote-url.test.ts',
    tests: ['refuses %j and does not repeat it', 'refuses the path %s where paths are not allowed'],
  },
  G07: {
    what: 'hooks, filters, drivers and monitors',
    file: views,
    tests: [
      'runs nothing that a repository or the clone names: hook, filter, text conversion, merge driver, monitor',
    ],
  },
  G08: {
    what: 'a pack without end, one that boasts, a million refs, a manifest of 200 MB',
    file: remotes,
    tests: [
      'is cut off when it sends more than one fetch may bring, and what it sent is removed',
      'does not get more memory by saying that a small object is large',
      'may have a million refs: one is asked for, and a few bytes come',
      'may have a hundred thousand branches that begin like ours',
      'may hold 200 MB in place of a manifest: its size is asked for, and it is refused unread',
    ],
  },
  G09: {
    what: 'a history that was rewritten, while we looked or while we were down',
    file: rewrites,
    tests: [
      'shows what it was before and what it is now, and since when',
      'goes on from the new head once a person accepts it, without a restart',
      'notices one that happened while nobody looked, and serves what was seen last',
    ],
  },
  G10: {
    what: 'a branch that is deleted',
    file: rewrites,
    tests: ['alarms when the branch is gone that was seen last, also right at its start'],
  },
  G11: {
    what: 'a remote that is shallow, unborn or empty',
    file: remotes,
    tests: [
      'is told apart when it is empty, has no such branch, or holds no commit there',
      'says what to do when its own history is shallow, first and later',
    ],
  },
  G12: {
    what: 'commits of 1970, 2106 and beyond, names that steer a terminal',
    file: views,
    tests: [
      'orders by the graph, whatever the clocks said',
      'shows names and subjects as text that does nothing to a terminal, and bounds them',
    ],
  },
  G13: { what: 'unsigned commits, unknown, expired or stolen signatures', left: 'commit signatures' },
  G14: {
    what: 'locks that a killed git left',
    file: locks,
    tests: ['opens over whatever locks and halves a killed git left, and fetches'],
  },
  G15: {
    what: 'paths that differ in case alone',
    file: views,
    tests: ['tells apart paths that differ in case alone, as git does'],
  },
  G16: {
    what: 'a merge whose first parent is not the old head',
    file: views,
    tests: ['takes a merge whose first parent is not the old head for what it holds, and flags it'],
  },
  G17: {
    what: 'a tag that moves, or is named like the branch',
    file: remotes,
    tests: ['may move its tags, also one named like the branch: none is ever fetched or followed'],
  },
};
