<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Support\Strictness;

/** Hears of every event that implements {@see ShouldRelay}, by way of the interface's name. */
final class RelayListener
{
    public function __construct(
        private readonly Msab $msab,
        private readonly Strictness $strictness,
        private readonly Outcomes $outcomes,
    ) {}

    public function handle(ShouldRelay $event): void
    {
        try {
            $emits = $event->toRelay();
            if ($emits === null || $emits instanceof RelayEvent || $emits instanceof PendingEmit) {
                $emits = array_filter([$emits]);
            }
            foreach ($emits as $emit) {
                $this->msab->emit($emit);
            }
        } catch (\Throwable $exception) {
            if ($this->strictness->isOn()) {
                throw $exception;
            }
            $this->outcomes->dropped($event::class, $exception);
        }
    }
}
