<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Closure;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Throwable;

/** The loop of `msab:outbox work`. A database that is away is waited for. */
final class Worker
{
    private const MOST_SECONDS_AFTER_ERROR = 30;

    private bool $stopping = false;

    private int $errors = 0;

    private readonly float $began;

    /**
     * @param  list<Drain>  $drains  one for each relay
     * @param  float  $idle  seconds between two looks while nothing waits
     * @param  float  $maxTime  seconds after which it ends; 0: never
     * @param  int  $memory  MiB above which it ends
     * @param  Closure(float): void  $sleep
     */
    public function __construct(
        private readonly array $drains,
        private readonly ExceptionHandler $handler,
        private readonly float $idle = 0.25,
        private readonly float $maxTime = 0,
        private readonly int $memory = 128,
        private readonly ?Closure $sleep = null,
    ) {
        $this->began = hrtime(true) / 1e9;
    }

    /** Ends after the call under way. Called by a signal's handler. */
    public function stop(): void
    {
        $this->stopping = true;
    }

    /**
     * @param  bool  $untilEmpty  ends as soon as nothing is due, and at the first error
     * @return int rows that left the outbox
     */
    public function run(bool $untilEmpty = false): int
    {
        $total = 0;
        try {
            while (! $this->stopping) {
                $moved = $this->pass();
                $total += $moved;
                if ($this->isOver() || ($untilEmpty && ($this->errors > 0 || ($moved === 0 && $this->isEmpty())))) {
                    break;
                }
                if ($moved === 0) {
                    $this->rest();
                }
            }
        } finally {
            $this->release();
        }

        return $total;
    }

    /** Whether the last look met an error, which was reported. */
    public function failed(): bool
    {
        return $this->errors > 0;
    }

    /** One look at every relay's rows. */
    private function pass(): int
    {
        $moved = 0;
        $failed = false;
        foreach ($this->drains as $drain) {
            try {
                $moved += $drain->pass();
            } catch (Throwable $error) {
                $failed = true;
                $this->handler->report($error);
            }
        }
        $this->errors = $failed ? $this->errors + 1 : 0;

        return $moved;
    }

    private function isEmpty(): bool
    {
        foreach ($this->drains as $drain) {
            if (! $drain->isEmpty()) {
                return false;
            }
        }

        return true;
    }

    private function isOver(): bool
    {
        return ($this->maxTime > 0 && hrtime(true) / 1e9 - $this->began >= $this->maxTime)
            || memory_get_usage(true) / 1_048_576 >= $this->memory;
    }

    private function rest(): void
    {
        $seconds = $this->errors > 0 ? min(self::MOST_SECONDS_AFTER_ERROR, 2 ** min($this->errors - 1, 10)) : $this->idle;
        $this->sleep === null ? usleep((int) ($seconds * 1e6)) : ($this->sleep)($seconds);
    }

    private function release(): void
    {
        foreach ($this->drains as $drain) {
            try {
                $drain->release();
            } catch (Throwable $error) {
                $this->handler->report($error);
            }
        }
    }
}
