<?php

declare(strict_types=1);

namespace Msab\Laravel\Exceptions;

use Msab\Laravel\Contract\Violation;

/** An event or its target breaks the contract; found before anything was sent. */
final class InvalidEvent extends \InvalidArgumentException implements MsabException
{
    /** @param  non-empty-list<Violation>  $violations every field at fault */
    public function __construct(
        public readonly string $eventName,
        public readonly array $violations,
    ) {
        parent::__construct("$eventName: ".implode('; ', $violations));
    }

    public static function because(string $eventName, string $field, string $description): self
    {
        return new self($eventName, [new Violation($field, $description)]);
    }

    /** @return array<string, mixed> for the application's log */
    public function context(): array
    {
        return ['event' => $this->eventName, 'violations' => array_map(strval(...), $this->violations)];
    }
}
