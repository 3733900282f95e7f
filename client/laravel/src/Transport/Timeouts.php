<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

/**
 * How often in a row the relay did not answer, and the pause that too many of them call for.
 *
 * Where PHP forgets everything between two requests, as under FPM, this is kept in a small file that all processes of
 * the application share: else each request would wait for a silent relay as if it were the first. Elsewhere it is this
 * process's own. A file that can't be written is no fault: then each request knows only of itself.
 */
final class Timeouts
{
    public const MOST = 3;

    public const PAUSE_SECONDS = 1.0;

    private int $count = 0;

    /** By the clock: until when no call is made. */
    private float $pausedUntil = 0;

    /** Whether what the file says is what is known. */
    private bool $shared;

    /**
     * @param  \Closure(): float  $clock  seconds, monotonic; with a file the same for all processes of the machine
     * @param  string|null  $file  null: in this process only
     */
    public function __construct(
        private readonly \Closure $clock,
        private readonly ?string $file = null,
    ) {
        $this->shared = $file !== null;
    }

    /** Seconds for which no call is to be made; 0: none. */
    public function pause(): float
    {
        $this->read();
        $left = $this->pausedUntil - ($this->clock)();

        // Longer than a pause can be: the file is from before the machine's last start.
        return $left > 0 && $left <= self::PAUSE_SECONDS ? $left : 0;
    }

    public function add(): void
    {
        $this->read();
        if (++$this->count >= self::MOST) {
            $this->pausedUntil = ($this->clock)() + self::PAUSE_SECONDS;
        }
        if ($this->file !== null) {
            $this->shared = @file_put_contents($this->file, "$this->count $this->pausedUntil", LOCK_EX) !== false;
        }
    }

    public function clear(): void
    {
        if ($this->count > 0 && $this->file !== null) {
            @unlink($this->file);
        }
        $this->count = 0;
        $this->pausedUntil = 0;
    }

    private function read(): void
    {
        if (! $this->shared || $this->file === null) {
            return;
        }
        clearstatcache(true, $this->file);
        $text = is_file($this->file) ? (string) @file_get_contents($this->file) : '';
        $known = preg_match('/^(\d+) ([\d.]+)$/D', $text, $match) === 1;
        [$this->count, $this->pausedUntil] = $known ? [(int) $match[1], (float) $match[2]] : [0, 0.0];
    }
}
