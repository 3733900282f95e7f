<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Msab\Laravel\Exceptions\RelayException;

/**
 * Keeps the application from waiting for a relay that doesn't answer, and from taking a connection that was
 * closed while nobody used it for a relay that is away.
 */
final class Guard
{
    /** Whether this process's last call found the relay away. */
    private bool $away = false;

    /** @param  \Closure(): float  $clock  seconds, monotonic */
    public function __construct(
        private readonly \Closure $clock,
        private readonly Timeouts $timeouts,
    ) {}

    /** @param  string|null  $file  as {@see Timeouts} has it */
    public static function withSystemClock(?string $file = null): self
    {
        $clock = static fn (): float => hrtime(true) / 1e9;

        return new self($clock, new Timeouts($clock, $file));
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
        $pause = $this->timeouts->pause();
        if ($pause > 0) {
            throw new RelayException(new EmitFailure(
                StatusCode::Unavailable,
                'not tried: the relay did not answer '.Timeouts::MOST.' calls in a row',
                retryAfter: $pause,
            ));
        }
        $begin = ($this->clock)();
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
        if ($status === StatusCode::DeadlineExceeded) {
            $this->timeouts->add();
        } else {
            $this->timeouts->clear();
        }
    }
}
