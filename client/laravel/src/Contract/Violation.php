<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

/** A field that breaks the contract. */
final readonly class Violation
{
    /**
     * @param  string  $field  its path in the event's own keys: `reward.amount`, `asset_ids[3]`
     * @param  string  $description  what is wrong, and what would be right
     */
    public function __construct(
        public string $field,
        public string $description,
    ) {}

    public function __toString(): string
    {
        return $this->field === '' ? $this->description : "$this->field: $this->description";
    }
}
