<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

use Illuminate\Container\Container;
use Msab\Laravel\Msab;
use Msab\Laravel\Support\AfterCommit;

/**
 * Calls the relay after the commit, within the request: no worker needed, and no second try.
 */
final class SyncDelivery implements Delivery
{
    public function __construct(
        private readonly AfterCommit $afterCommit,
        private readonly Outcomes $outcomes,
    ) {}

    public function deliver(Envelope $envelope): void
    {
        $this->afterCommit->run(fn () => $this->send($envelope));
    }

    private function send(Envelope $envelope): void
    {
        try {
            $msab = Container::getInstance()->make(Msab::class);
            $result = $msab->connection($envelope->connection)->transport()->emit($envelope->bytes);
        } catch (\Throwable $exception) {
            $this->outcomes->failed($envelope, $exception);

            return;
        }
        $this->outcomes->emitted($envelope, $result);
    }
}
