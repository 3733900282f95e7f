<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

/**
 * An event of the contract. What implements it is generated; see `bin/generate`.
 *
 * @phpstan-consistent-constructor
 */
interface CatalogEvent extends RelayEvent
{
    /** @return non-empty-list<Audience> who may get it */
    public static function audiences(): array;

    /** The field, as a key, that names the event's user or room; null: none does. */
    public static function targetKey(): ?string;

    /** That field's value. */
    public function targetId(): int|string|null;

    /** The same event for the user or room of this id. */
    public function withTargetId(int|string $id): static;

    /**
     * From data in the contract's own keys. Missing is null; what can't be read and keys that the
     * event doesn't have are told to the checker.
     *
     * @param  array<array-key, mixed>  $data
     */
    public static function fromArray(array $data, Checker $check): static;
}
