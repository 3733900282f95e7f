<?php

declare(strict_types=1);

namespace Msab\Laravel\Broadcasting;

use Illuminate\Container\Container;
use Msab\Laravel\Delivery\Delivery;
use Msab\Laravel\Delivery\Envelope;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Delivery\QueueDelivery;
use Msab\Laravel\Delivery\SyncDelivery;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Msab;

/**
 * How a broadcast leaves.
 *
 * Within a request: at once, inside our own rescue. In a queue worker: at once, too; if the relay is
 * away, as a job of this package's, which has the patience that Laravel's job for broadcasts lacks
 * (`tries` is 1); if the relay refuses it, that job goes to `failed_jobs`.
 */
final class BroadcastDelivery implements Delivery
{
    public function __construct(
        private readonly BroadcastJobs $jobs,
        private readonly SyncDelivery $sync,
        private readonly QueueDelivery $queue,
        private readonly Outcomes $outcomes,
    ) {}

    public function deliver(Envelope $envelope): void
    {
        $job = $this->jobs->current();
        if ($job === null) {
            $this->sync->deliver($envelope);

            return;
        }
        try {
            $msab = Container::getInstance()->make(Msab::class);
            $result = $msab->connection($envelope->connection)->transport()->emit($envelope->bytes);
        } catch (RelayException $exception) {
            if ($exception->isTransient()) {
                $this->queue->pushOrThrow($envelope->later((int) ceil($exception->retryAfter() ?? 1)));
            } else {
                $this->outcomes->failed($envelope, $exception);
                $job->fail($exception);
            }

            return;
        }
        $this->outcomes->emitted($envelope, $result);
    }
}
