<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Queue\InteractsWithQueue;
use Illuminate\Queue\Jobs\SyncJob;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Msab;

/**
 * Sends one envelope to the relay, from a queue worker.
 *
 * What is transient (the relay is away, overloaded or slow) is tried again with the same bytes for
 * nine minutes: less than the ten that the relay remembers an event id for, so that a repeat of what
 * had been accepted after all is recognised. What the relay refuses goes to `failed_jobs` at once.
 */
final class EmitJob implements ShouldQueue
{
    use InteractsWithQueue;
    use Queueable;

    public const RETRY_SECONDS = 540;

    public const MAX_BACKOFF_SECONDS = 60;

    /** As often as `retryUntil` allows. */
    public int $tries = 0;

    /** Of what is no answer of the relay's, such as a broken configuration. */
    public int $maxExceptions = 3;

    public int $timeout = 30;

    public function __construct(public readonly Envelope $envelope) {}

    public function handle(Msab $msab, Outcomes $outcomes): void
    {
        try {
            $result = $msab->connection($this->envelope->connection)->transport()->emit($this->envelope->bytes);
        } catch (RelayException $exception) {
            $this->refused($exception);

            return;
        }
        $outcomes->emitted($this->envelope, $result);
    }

    private function refused(RelayException $exception): void
    {
        $delay = $this->delayAfter($exception);
        if ($delay === null) {
            $this->fail($exception);
        } else {
            $this->release($delay);
        }
    }

    /** Seconds until the next attempt; null: there is none. */
    private function delayAfter(RelayException $exception): ?int
    {
        // A job of the `sync` queue can't be put back.
        if (! $exception->isTransient() || $this->job === null || $this->job instanceof SyncJob) {
            return null;
        }
        $delay = max(
            self::backoffSeconds($this->attempts()),
            (int) ceil($exception->retryAfter() ?? 0),
        );
        $end = $this->job->retryUntil();

        return $end !== null && now()->getTimestamp() + $delay >= $end ? null : $delay;
    }

    /** 1, 2, 4 … 60 seconds, less up to a half, so that workers don't come back all at once. */
    private static function backoffSeconds(int $attempt): int
    {
        $most = (int) min(self::MAX_BACKOFF_SECONDS, 2 ** min(max($attempt - 1, 0), 10));

        return random_int(max(1, intdiv($most, 2)), $most);
    }

    /** Unix seconds. Read once, when the job is pushed. */
    public function retryUntil(): int
    {
        return now()->getTimestamp() + self::RETRY_SECONDS + $this->envelope->delaySeconds;
    }

    /** @return list<int> of exceptions, which the relay's answers are not */
    public function backoff(): array
    {
        return [1, 5, 15];
    }

    public function failed(?\Throwable $exception): void
    {
        app(Outcomes::class)->failed(
            $this->envelope,
            $exception ?? new \RuntimeException('The job failed without an exception.'),
        );
    }

    public function displayName(): string
    {
        return "Msab emit {$this->envelope->eventName}";
    }

    /**
     * Without what is as the class has it: half of the payload, which is written while a user waits.
     *
     * @return array<string, mixed>
     */
    public function __serialize(): array
    {
        return array_filter(
            get_object_vars($this),
            fn (mixed $value, string $name): bool => $value !== null && $value !== [] && ! in_array($name, ['job', 'tries', 'maxExceptions', 'timeout'], true),
            ARRAY_FILTER_USE_BOTH,
        );
    }

    /** @return list<string> */
    public function tags(): array
    {
        return ['msab', "msab:{$this->envelope->eventName}", "msab:{$this->envelope->audience}"];
    }
}
