<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

use Illuminate\Container\Container;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Events\Dispatcher;
use Msab\Laravel\Support\Counters;
use Msab\Laravel\Transport\EmitResult;

/**
 * Tells the application what became of its emits: events for listeners, counters, the exception
 * handler's report. Nothing that a listener or the report throws comes out of here, because the
 * emit's own work is over, and the application's goes on.
 *
 * The dispatcher and the handler are looked up each time: an application may exchange them after deliveries were
 * made, as `Event::fake()` and `Exceptions::fake()` do.
 */
final class Outcomes
{
    /** Names of the counters. */
    public const EMITTED = 'emitted';

    public const DUPLICATE = 'duplicate';

    public const INVALID = 'invalid';

    public const FAILED = 'failed';

    public function __construct(private readonly Counters $counters) {}

    public function emitted(Envelope $envelope, EmitResult $result): void
    {
        $this->counters->add(self::EMITTED);
        if ($result->duplicate) {
            $this->counters->add(self::DUPLICATE);
        }
        $this->tell(new EventEmitted($envelope, $result));
    }

    /** Neither sent nor tried again: reported, counted, told. */
    public function failed(Envelope $envelope, \Throwable $exception): void
    {
        $this->counters->add(self::FAILED);
        $this->report($exception);
        $this->tell(new EmitFailed($envelope->eventName, $envelope, $exception));
    }

    /** Dropped before there was an envelope. */
    public function dropped(string $eventName, \Throwable $exception): void
    {
        $this->counters->add(self::INVALID);
        $this->report($exception);
        $this->tell(new EmitFailed($eventName, null, $exception));
    }

    public function report(\Throwable $exception): void
    {
        try {
            Container::getInstance()->make(ExceptionHandler::class)->report($exception);
        } catch (\Throwable) {
            // A log that can't be written must not fail what is being logged.
        }
    }

    private function tell(object $event): void
    {
        try {
            Container::getInstance()->make(Dispatcher::class)->dispatch($event);
        } catch (\Throwable $exception) {
            $this->report($exception);
        }
    }
}
