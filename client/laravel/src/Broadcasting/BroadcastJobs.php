<?php

declare(strict_types=1);

namespace Msab\Laravel\Broadcasting;

use Illuminate\Broadcasting\BroadcastEvent;
use Illuminate\Contracts\Queue\Job;
use Illuminate\Queue\Jobs\SyncJob;

/**
 * The job of Laravel's that broadcasts, where one is running: its uuid and the time of its dispatch
 * are the same in every attempt, so that what is made from them is, too.
 */
final class BroadcastJobs
{
    /** The key in a job's payload that holds when it was dispatched: ms since 1970. */
    public const DISPATCHED_AT = 'msab_dispatched_at';

    /** @var list<Job> innermost last: a job of the `sync` queue runs within another */
    private array $running = [];

    /**
     * What to add to the payload of a job that is being pushed.
     *
     * @param  array<string, mixed>  $payload
     * @return array<string, int>
     */
    public static function addition(array $payload): array
    {
        return self::isBroadcast($payload) ? [self::DISPATCHED_AT => (int) (microtime(true) * 1000)] : [];
    }

    public function began(Job $job): void
    {
        $this->running[] = $job;
    }

    public function ended(Job $job): void
    {
        $this->running = array_values(array_filter($this->running, fn (Job $other) => $other !== $job));
    }

    /**
     * Null within any other job: that one may broadcast several times, and has no id for each.
     */
    public function current(): ?Job
    {
        $job = $this->innermost();

        return $job !== null && ! $job instanceof SyncJob && self::isBroadcast($job->payload()) ? $job : null;
    }

    /** Whether a job of a real queue is running: then nobody waits, and there is a worker for more. */
    public function isInWorker(): bool
    {
        return array_filter($this->running, fn (Job $job) => ! $job instanceof SyncJob) !== [];
    }

    private function innermost(): ?Job
    {
        return $this->running === [] ? null : $this->running[count($this->running) - 1];
    }

    /** @param  array<string, mixed>  $payload */
    private static function isBroadcast(array $payload): bool
    {
        return is_a($payload['data']['commandName'] ?? '', BroadcastEvent::class, true);
    }
}
