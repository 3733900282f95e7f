<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Closure;
use Illuminate\Contracts\Debug\ExceptionHandler;
use stdClass;
use Throwable;

/**
 * Answers a batch of commands, each on its own: one that fails doesn't take the others with it.
 *
 * @phpstan-type Result array{id: string, status: 'accepted', data: array<string, mixed>}|array{id: string, status: 'rejected', code: string, reason: string}|array{id: string, status: 'retry', retryAfterMs: int}
 */
final readonly class CommandRunner
{
    /** When the relay may ask again about a command whose handler failed, or that was not begun: milliseconds. */
    private const RETRY_FAILED_MS = 500;

    private const RETRY_UNBEGUN_MS = 50;

    /** @var Closure(): int nanoseconds, monotonic */
    private Closure $clock;

    /**
     * @param  Closure(): ?GiftHandler  $gifts  made when the first gift comes
     * @param  Closure(): JoinHandler  $joins
     * @param  Closure(): Receipts  $receipts
     * @param  int  $budgetMs  what isn't begun within this time is left to the relay's next attempt
     */
    public function __construct(
        private Closure $gifts,
        private Closure $joins,
        private Closure $receipts,
        private ExceptionHandler $errors,
        private int $budgetMs,
        ?Closure $clock = null,
    ) {
        $this->clock = $clock ?? static fn (): int => hrtime(true);
    }

    /**
     * @param  list<stdClass>  $commands  as the wire has them, each with a string `id`
     * @return list<Result> one for each, in their order
     */
    public function run(array $commands): array
    {
        $end = ($this->clock)() + $this->budgetMs * 1_000_000;
        $results = [];
        foreach ($commands as $command) {
            $id = is_string($command->id ?? null) ? $command->id : throw new InvalidCommand('commands: every command has an id, a string');
            $results[] = ['id' => $id] + (($this->clock)() < $end
                ? $this->answer($command)
                : ['status' => 'retry', 'retryAfterMs' => self::RETRY_UNBEGUN_MS]);
        }

        return $results;
    }

    /** @return array{status: 'accepted', data: array<string, mixed>}|array{status: 'rejected', code: string, reason: string}|array{status: 'retry', retryAfterMs: int} */
    private function answer(stdClass $wire): array
    {
        try {
            $command = Command::fromWire($wire);
            $answer = match (true) {
                $command instanceof GiftCommand => $this->give($command),
                $command instanceof JoinCommand => $this->join($command),
                default => throw new InvalidCommand('type: unknown'),
            };
        } catch (InvalidCommand $invalid) {
            // The relay has checked the client's data: it is newer than this package, or not the relay.
            $this->errors->report($invalid);
            $answer = new Rejected('INVALID_COMMAND', $invalid->getMessage());
        } catch (TryLater $later) {
            return ['status' => 'retry', 'retryAfterMs' => max(0, $later->afterMs)];
        } catch (Throwable $failure) {
            $this->errors->report($failure);

            return ['status' => 'retry', 'retryAfterMs' => self::RETRY_FAILED_MS];
        }

        return $answer instanceof Rejected
            ? ['status' => 'rejected', 'code' => $answer->code, 'reason' => $answer->reason]
            : ['status' => 'accepted', 'data' => $answer];
    }

    /** @return array<string, mixed>|Rejected */
    private function give(GiftCommand $gift): array|Rejected
    {
        $handler = ($this->gifts)();
        if ($handler === null) {
            return new Rejected('GIFTS_NOT_HANDLED', 'This application handles no gifts.');
        }

        return ($this->receipts)()->once($gift, $handler->handleGift(...));
    }

    /** @return array<string, mixed>|Rejected */
    private function join(JoinCommand $join): array|Rejected
    {
        $answer = ($this->joins)()->handleJoin($join);
        if ($answer instanceof Rejected) {
            return $answer;
        }
        $data = $answer->dataFor($join);
        // Here, where it fails this command alone: the profile is the application's.
        json_encode($data, JSON_THROW_ON_ERROR);

        return $data;
    }
}
