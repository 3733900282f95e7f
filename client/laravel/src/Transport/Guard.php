<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Msab\Laravel\Exceptions\RelayException;

/**
 * Keeps a process from waiting for a relay that doesn't answer, and from taking a connection that was
 * closed while nobody used it for a relay that is away. State of this process only.
 */
final class Guard
{
    public const TIMEOUTS = 3;

    public const PAUSE_SECONDS = 1.0;

    /** In a row. */
    private int $timeouts = 0;

    private float $pausedUntil = 0;

    /** Whether the last call found the relay away. */
    private bool $away = false;

    /** @param  \Closure(): float  $clock seconds, monotonic */
    public function __construct(private readonly \Closure $clock) {}

    public static function withSystemClock(): self
    {
        return new self(fn () => hrtime(true) / 1e9);
    }

    /**
     * @template T
     *
     * @param  \Closure(float): T  $call  is given the seconds it has
     * @return T
     *
     * @throws RelayException
     */
    public function run(\Closure $call, float $deadline): mixed
    {
        $begin = ($this->clock)();
        if ($begin < $this->pausedUntil) {
            throw new RelayException(new EmitFailure(
                StatusCode::Unavailable,
                'not tried: the relay did not answer '.self::TIMEOUTS.' calls in a row',
                retryAfter: $this->pausedUntil - $begin,
            ));
        }
        try {
            $result = $this->twiceIfFirstFound($call, $deadline, $begin);
        } catch (RelayException $exception) {
            $this->note($exception->status());
            throw $exception;
        }
        $this->note(StatusCode::Ok);

        return $result;
    }

    /**
     * The first UNAVAILABLE since a call that worked is repeated at once: the connection may just have
     * grown old. Not where the relay itself said so, with a delay.
     */
    private function twiceIfFirstFound(\Closure $call, float $deadline, float $begin): mixed
    {
        try {
            return $call($deadline);
        } catch (RelayException $exception) {
            $left = $deadline - (($this->clock)() - $begin);
            if ($this->away || $left < 0.001 || $exception->retryAfter() !== null
                || $exception->status() !== StatusCode::Unavailable) {
                throw $exception;
            }
            $this->away = true;

            return $call($left);
        }
    }

    private function note(StatusCode $status): void
    {
        $this->away = $status === StatusCode::Unavailable;
        if ($status !== StatusCode::DeadlineExceeded) {
            $this->timeouts = 0;
        } elseif (++$this->timeouts >= self::TIMEOUTS) {
            $this->pausedUntil = ($this->clock)() + self::PAUSE_SECONDS;
        }
    }
}
