<?php

declare(strict_types=1);

namespace Msab\Laravel\Broadcasting;

use Illuminate\Container\Container;
use Illuminate\Contracts\Queue\Job;
use Msab\Laravel\Delivery\Delivery;
use Msab\Laravel\Delivery\Envelope;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Delivery\QueueDelivery;
use Msab\Laravel\Delivery\SyncDelivery;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Msab;
use Msab\Laravel\Support\AfterCommit;

/**
 * How a broadcast leaves.
 *
 * Within a request: at once, inside our own rescue. In a queue worker: at once, too; if the relay is
 * away, as a job of this package's, which has the patience that Laravel's job for broadcasts lacks
 * (`tries` is 1). If the relay refuses what Laravel's job sends, that job goes to `failed_jobs`; a job of
 * the application's that broadcasts by the way doesn't.
 */
final class BroadcastDelivery implements Delivery
{
    public function __construct(
        private readonly BroadcastJobs $jobs,
        private readonly SyncDelivery $sync,
        private readonly QueueDelivery $queue,
        private readonly AfterCommit $afterCommit,
        private readonly Outcomes $outcomes,
    ) {}

    public function deliver(Envelope $envelope): void
    {
        $job = $this->jobs->current();
        if ($job !== null) {
            $this->send($envelope, $this->queue->pushOrThrow(...), $job);
        } elseif ($this->jobs->isInWorker()) {
            $this->afterCommit->run(fn () => $this->send($envelope, $this->queue->deliver(...)));
        } else {
            $this->sync->deliver($envelope);
        }
    }

    /**
     * @param  \Closure(Envelope): void  $later  takes it where the relay is away
     * @param  Job|null  $job  Laravel's, for this broadcast
     */
    private function send(Envelope $envelope, \Closure $later, ?Job $job = null): void
    {
        try {
            $msab = Container::getInstance()->make(Msab::class);
            $result = $msab->connection($envelope->connection)->transport()->emit($envelope->bytes);
        } catch (RelayException $exception) {
            if ($exception->isTransient()) {
                $later($envelope->later((int) ceil($exception->retryAfter() ?? 1)));
            } else {
                $this->outcomes->failed($envelope, $exception);
                $job?->fail($exception);
            }

            return;
        } catch (\Throwable $exception) {
            if ($job !== null) {
                throw $exception;
            }
            $this->outcomes->failed($envelope, $exception);

            return;
        }
        $this->outcomes->emitted($envelope, $result);
    }
}
