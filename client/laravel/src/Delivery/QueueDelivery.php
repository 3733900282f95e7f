<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

use Illuminate\Container\Container;
use Illuminate\Contracts\Bus\Dispatcher;
use Illuminate\Contracts\Config\Repository;
use Msab\Laravel\Support\AfterCommit;

/**
 * Pushes an {@see EmitJob} after the commit.
 *
 * The push runs inside a rescue of our own. Left to Laravel's `afterCommit`, a queue that is down
 * throws after the transaction has been committed: the user sees an error for what has happened, and
 * the transaction's remaining callbacks are lost.
 */
final class QueueDelivery implements Delivery
{
    public function __construct(
        private readonly Repository $config,
        private readonly AfterCommit $afterCommit,
        private readonly Outcomes $outcomes,
    ) {}

    public function deliver(Envelope $envelope): void
    {
        $this->afterCommit->run(fn () => $this->push($envelope));
    }

    /** At once, whatever transaction is open; where the queue can't be reached, its exception. */
    public function pushOrThrow(Envelope $envelope): void
    {
        // Looked up each time: `Bus::fake()` exchanges it.
        Container::getInstance()->make(Dispatcher::class)->dispatch($this->job($envelope));
    }

    private function push(Envelope $envelope): void
    {
        try {
            $this->pushOrThrow($envelope);
        } catch (\Throwable $exception) {
            $this->outcomes->failed($envelope, $exception);
        }
    }

    private function job(Envelope $envelope): EmitJob
    {
        $job = new EmitJob($envelope);
        $job->onConnection($this->config->get('msab.queue.connection'));
        $job->onQueue($envelope->queue ?? $this->config->get('msab.queue.queue'));
        if ($envelope->delaySeconds > 0) {
            $job->delay($envelope->delaySeconds);
        }

        return $job->beforeCommit();
    }
}
