<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use Closure;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\EmitResult;
use Msab\Laravel\Transport\Transport;
use Msab\V1\EmitEventRequest;

/** A relay whose answers a test decides, event by event. */
final class ScriptedTransport implements Transport
{
    /** @var list<list<string>> the event ids of each call */
    public array $calls = [];

    /** @var list<string> the event ids that were accepted, in that order */
    public array $accepted = [];

    /** @param  ?Closure(string, int): ?EmitFailure  $script  by event id and number of events in the call; null: accepted */
    public function __construct(public ?Closure $script = null) {}

    public function emit(string $bytes, ?float $deadline = null): EmitResult
    {
        $answer = $this->emitBatch([$bytes])[0];

        return $answer instanceof EmitFailure ? throw $answer->toException() : $answer;
    }

    public function emitBatch(array $requests, ?float $deadline = null): array
    {
        $ids = array_map(self::idOf(...), $requests);
        $this->calls[] = $ids;
        $answers = [];
        foreach ($ids as $id) {
            $failure = $this->script === null ? null : ($this->script)($id, count($ids));
            if ($failure === null) {
                $this->accepted[] = $id;
            }
            $answers[] = $failure ?? new EmitResult($id);
        }

        return $answers;
    }

    public function cursor(?float $deadline = null): string
    {
        return 'k-0';
    }

    public function name(): string
    {
        return 'scripted';
    }

    private static function idOf(string $bytes): string
    {
        $request = new EmitEventRequest;
        $request->mergeFromString($bytes);

        return $request->getEventId();
    }
}
