<?php

declare(strict_types=1);

namespace Msab\Laravel\Exceptions;

use Msab\Laravel\Contract\Violation;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\StatusCode;

/** The relay refused, or could not be reached. */
final class RelayException extends \RuntimeException implements MsabException
{
    public function __construct(public readonly EmitFailure $failure)
    {
        parent::__construct("{$failure->code->text()}: $failure->message", $failure->code->value);
    }

    public function status(): StatusCode
    {
        return $this->failure->code;
    }

    /** @return list<Violation> */
    public function violations(): array
    {
        return $this->failure->violations;
    }

    /** Seconds to wait at least before the same bytes may be sent again, where the relay said so. */
    public function retryAfter(): ?float
    {
        return $this->failure->retryAfter;
    }

    /** Whether the same bytes may be accepted later. */
    public function isTransient(): bool
    {
        return $this->failure->isTransient();
    }

    /** @return array<string, mixed> for the application's log */
    public function context(): array
    {
        return array_filter([
            'status' => $this->failure->code->text(),
            'violations' => array_map(strval(...), $this->failure->violations),
            'retry_after' => $this->failure->retryAfter,
        ]);
    }
}
