// How much the client adds to what a page pays anyway: the same events, as fast as the page takes
// them, through the client and through a bare `onmessage` with `JSON.parse`, in turns in one page.
//
// The relay replays a history, which it sends as fast as it is read. Time is the CPU time of the page's
// main thread (DevTools' TaskDuration in thread ticks): what else runs on the machine counts little.
import type { CDPSession, Page } from 'playwright-core';
import { launch, Site, type ClientWindow } from '../tests/support/browser.js';
import { RelayProcess, token } from '../tests/support/relay.js';

const USER = 42;
const GOAL = 1.15;
const quick = process.argv.includes('--quick');
const EVENTS = quick ? 20_000 : 100_000;
const ROUNDS = quick ? 5 : 11;

interface Round {
  /** Seconds of the main thread. */
  cpu: number;
  /** Seconds from the connection to the last event. */
  wall: number;
}

const relay = await RelayProcess.start({
  'log.max_per_audience': String(2 * EVENTS),
  'ws.ping_interval': '25s',
});
const site = await Site.start();
const browser = await launch();
let failed = false;
try {
  const page = await site.page(await browser.newContext());
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.setTimeDomain' as never, { timeDomain: 'threadTicks' } as never);
  await session.send('Performance.enable');
  const cursor = await relay.cursor();
  await fill();
  const run = (how: 'bare' | 'client') => measure(page, session, how, cursor);
  for (const how of ['bare', 'client'] as const) await run(how); // compiled, and warm
  const rounds = { bare: [] as Round[], client: [] as Round[] };
  for (let n = 0; n < ROUNDS; n++) {
    // Neither always goes first.
    const order = n % 2 ? (['bare', 'client'] as const) : (['client', 'bare'] as const);
    for (const how of order) rounds[how].push(await run(how));
  }
  for (const how of ['bare', 'client'] as const) {
    const cpu = median(rounds[how].map((round) => round.cpu));
    const rate = median(rounds[how].map((round) => EVENTS / round.wall));
    const each = ((cpu / EVENTS) * 1e6).toFixed(2);
    console.log(
      `${how.padEnd(6)} ${each} µs of main thread an event, ${Math.round(rate).toLocaleString('en')} events/s`,
    );
  }
  const ratio = median(rounds.client.map(({ cpu }, n) => cpu / rounds.bare[n]!.cpu));
  console.log(`ratio  ${ratio.toFixed(3)} (goal: at most ${GOAL})`);
  failed = ratio > GOAL;
} finally {
  await browser.close();
  await site.stop();
  await relay.stop();
}
process.exit(failed ? 1 : 0);

async function fill(): Promise<void> {
  for (let sent = 0; sent < EVENTS;) {
    const events = Array.from({ length: Math.min(1_000, EVENTS - sent) }, () => ({
      reward_earned: {
        user_id: USER,
        reward: { id: ++sent, type: 'coins', amount: '150', description: 'Daily reward' },
      },
    }));
    await relay.emitBatch(events);
  }
}

async function measure(
  page: Page,
  session: CDPSession,
  how: 'bare' | 'client',
  cursor: string,
): Promise<Round> {
  await session.send('HeapProfiler.collectGarbage');
  const before = await taskDuration(session);
  const wall = await page.evaluate(
    async ({ how, url, jwt, cursor, expected }) => {
      const started = performance.now();
      let heard = 0;
      if (how === 'bare') {
        await new Promise<void>((resolve) => {
          const socket = new WebSocket(`${url}?cursor=${cursor}`, ['msab.v1', `token.${jwt}`]);
          socket.onmessage = ({ data }) => {
            const frame = JSON.parse(data);
            if (frame.event === 'reward.earned') heard++;
            else if (frame.event === 'live') {
              socket.close();
              resolve();
            }
          };
        });
      } else {
        const { connect } = await (window as unknown as ClientWindow).load('/index.js');
        const relay = connect(url, { token: jwt, cursor });
        relay.on('reward.earned', () => heard++);
        await new Promise<void>((resolve) => {
          relay.state.subscribe((state: string) => state === 'live' && resolve());
        });
        relay.close();
      }
      if (heard !== expected) throw new Error(`${how}: heard ${heard} of ${expected}`);
      return (performance.now() - started) / 1_000;
    },
    { how, url: relay.url, jwt: token(USER), cursor, expected: EVENTS },
  );
  return { cpu: (await taskDuration(session)) - before, wall };
}

async function taskDuration(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration')!.value;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
