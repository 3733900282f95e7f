<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\EmitResult;
use Msab\Laravel\Transport\Transport;

/** Gives the test's answers in turn, then accepts; remembers what it was given. */
final class AnsweringTransport implements Transport
{
    /** @var list<EmitResult|EmitFailure> */
    public array $answers = [];

    /** @var list<string> */
    public array $sent = [];

    public function emit(string $bytes, ?float $deadline = null): EmitResult
    {
        $this->sent[] = $bytes;
        $answer = array_shift($this->answers) ?? new EmitResult('');

        return $answer instanceof EmitResult ? $answer : throw $answer->toException();
    }

    public function emitBatch(array $requests, ?float $deadline = null): array
    {
        return array_map(function (string $bytes) {
            $this->sent[] = $bytes;

            return array_shift($this->answers) ?? new EmitResult('');
        }, $requests);
    }

    public function cursor(?float $deadline = null): string
    {
        return '0-0';
    }

    public function name(): string
    {
        return 'test';
    }
}
