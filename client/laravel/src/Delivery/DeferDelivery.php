<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

use Illuminate\Container\Container;
use Illuminate\Support\Defer\DeferredCallback;
use Illuminate\Support\Defer\DeferredCallbackCollection;
use Msab\Laravel\Msab;
use Msab\Laravel\Support\AfterCommit;
use Msab\Laravel\Transport\EmitFailure;

/**
 * Calls the relay once the response has been sent, with everything of the request in one call: no
 * worker needed, no time of the user's, and no second try.
 */
final class DeferDelivery implements Delivery
{
    /** @var array<string, list<Envelope>> of the request under way, by connection */
    private array $waiting = [];

    /** @var \WeakReference<DeferredCallbackCollection>|null of the request that is to flush */
    private ?\WeakReference $flushedBy = null;

    public function __construct(
        private readonly AfterCommit $afterCommit,
        private readonly Outcomes $outcomes,
    ) {}

    public function deliver(Envelope $envelope): void
    {
        $this->afterCommit->run(function () use ($envelope) {
            $this->waiting[$envelope->connection][] = $envelope;
            $this->flushLater();
        });
    }

    private function flushLater(): void
    {
        // Each request has its own. One that never came to its end leaves its events to the next.
        $callbacks = Container::getInstance()->make(DeferredCallbackCollection::class);
        if ($this->flushedBy?->get() !== $callbacks) {
            // Before it is added: in a test withoutDefer() adding it is calling it.
            $this->flushedBy = \WeakReference::create($callbacks);
            // `always`: the work has been committed, whatever status the response then got.
            $callbacks[] = new DeferredCallback($this->flush(...), always: true);
        }
    }

    private function flush(): void
    {
        // Listeners may emit, too; a callback that is added now would not be called any more.
        while ($this->waiting !== []) {
            [$waiting, $this->waiting] = [$this->waiting, []];
            foreach ($waiting as $connection => $envelopes) {
                $this->send($connection, $envelopes);
            }
        }
        $this->flushedBy = null;
    }

    /** @param  list<Envelope>  $envelopes */
    private function send(string $connection, array $envelopes): void
    {
        try {
            $results = Container::getInstance()->make(Msab::class)->connection($connection)->transport()
                ->emitBatch(array_column($envelopes, 'bytes'));
        } catch (\Throwable $exception) {
            foreach ($envelopes as $envelope) {
                $this->outcomes->failed($envelope, $exception);
            }

            return;
        }
        foreach ($results as $i => $result) {
            if ($result instanceof EmitFailure) {
                $this->outcomes->failed($envelopes[$i], $result->toException());
            } else {
                $this->outcomes->emitted($envelopes[$i], $result);
            }
        }
    }
}
