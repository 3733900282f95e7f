<?php

/*
 * How fast the outbox drains: rows of MariaDB (its defaults: every commit is synced), by a worker in batches of 256,
 * beside a loop of what a generated stub's EmitEvents does with the same events as message objects: serialise, call,
 * parse. Both against one relay, in turns, over the same connection parameters; the median of the rounds counts.
 *
 *   client/laravel/bench/run outbox [rows]
 *
 * Prints a JSON object for scripts/bench. Goal: drain ≤ 1.0 × loop.
 */

declare(strict_types=1);

use Illuminate\Contracts\Console\Kernel;
use Illuminate\Support\Facades\DB;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Outbox\Outbox;
use Msab\Laravel\Outbox\Worker;
use Msab\Laravel\Tests\Support\MariaDb;
use Msab\Laravel\Tests\Support\TestRelay;
use Msab\V1\EmitEventRequest;
use Msab\V1\EmitEventsRequest;
use Msab\V1\EmitEventsResponse;

require getenv('MSAB_TEST_VENDOR').'/autoload.php';

const BATCH = 256;
const ROUNDS = 5;

$rows = (int) ($argv[1] ?? 10 * BATCH);
$relay = TestRelay::started();
foreach ($relay->environment() + ['MSAB_DELIVERY' => 'outbox', 'MSAB_TRANSPORT' => 'grpc'] as $name => $value) {
    putenv("$name=$value");
    $_ENV[$name] = $_SERVER[$name] = $value;
}
$app = require __DIR__.'/../tests/app/bootstrap/app.php';
$app->make(Kernel::class)->bootstrap();
config(['database.connections.outbox' => MariaDb::get()->connection(), 'database.default' => 'outbox']);
foreach (glob(__DIR__.'/../database/migrations/*.php') ?: [] as $file) {
    (require $file)->up();
}

/** Rows as an application writes them, each user's own. */
function write(int $rows): void
{
    DB::table('msab_outbox')->delete();
    DB::transaction(function () use ($rows): void {
        for ($i = 0; $i < $rows; $i++) {
            Msab::toUser(1 + $i % 10_000)->emit(new BalanceUpdated(coins: (string) (1000 + $i)));
        }
    });
}

/** @return list<list<EmitEventRequest>> the rows' events as messages, under other ids */
function messages(): array
{
    $messages = [];
    foreach (DB::table('msab_outbox')->orderBy('id')->pluck('body') as $i => $body) {
        $message = new EmitEventRequest;
        $message->mergeFromString((string) base64_decode((string) $body, true));
        $message->setEventId("stub-{$i}-".bin2hex(random_bytes(6)));
        $messages[] = $message;
    }

    return array_chunk($messages, BATCH);
}

$channel = new Grpc\Channel("127.0.0.1:{$relay->grpcPort}", ['credentials' => Grpc\ChannelCredentials::createInsecure()]);

/** What a generated client's method does. */
$stub = function (EmitEventsRequest $request) use ($channel): EmitEventsResponse {
    $call = new Grpc\Call($channel, '/msab.v1.EventService/EmitEvents', Grpc\Timeval::now()->add(new Grpc\Timeval(10_000_000)));
    $event = $call->startBatch([
        Grpc\OP_SEND_INITIAL_METADATA => ['authorization' => ['Bearer '.TestRelay::KEY]],
        Grpc\OP_SEND_MESSAGE => ['message' => $request->serializeToString()],
        Grpc\OP_SEND_CLOSE_FROM_CLIENT => true,
        Grpc\OP_RECV_INITIAL_METADATA => true,
        Grpc\OP_RECV_MESSAGE => true,
        Grpc\OP_RECV_STATUS_ON_CLIENT => true,
    ]);
    if ($event->status->code !== Grpc\STATUS_OK) {
        throw new RuntimeException($event->status->details);
    }
    $response = new EmitEventsResponse;
    $response->mergeFromString($event->message);

    return $response;
};

$drains = [];
$loops = [];
for ($round = 0; $round <= ROUNDS; $round++) {
    write($rows);
    $batches = messages();
    $drain = $app->make(Outbox::class)->drain('default', fn () => Msab::connection()->transport());
    $worker = new Worker([$drain], $app->make(Illuminate\Contracts\Debug\ExceptionHandler::class), memory: 4096);
    $begin = hrtime(true);
    $moved = $worker->run(untilEmpty: true);
    $drained = (hrtime(true) - $begin) / 1e3 / $rows;
    if ($moved !== $rows || DB::table('msab_outbox')->where('state', 'sent')->count() !== $rows) {
        throw new RuntimeException("{$moved} of {$rows} rows were sent");
    }
    $begin = hrtime(true);
    foreach ($batches as $batch) {
        $answer = $stub((new EmitEventsRequest)->setEvents($batch));
        if (count($answer->getResults()) !== count($batch)) {
            throw new RuntimeException('results are missing');
        }
    }
    $looped = (hrtime(true) - $begin) / 1e3 / $rows;
    if ($round > 0) {  // the first warms both up
        $drains[] = $drained;
        $loops[] = $looped;
    }
}
sort($drains);
sort($loops);
[$drained, $looped] = [$drains[intdiv(ROUNDS, 2)], $loops[intdiv(ROUNDS, 2)]];
echo json_encode([
    'row' => 'outbox drain', 'rows' => $rows, 'drain_us_per_row' => round($drained, 1), 'stub_us_per_row' => round($looped, 1),
    'ratio' => round($drained / $looped, 2), 'goal' => 1.0,
], JSON_THROW_ON_ERROR), "\n";
