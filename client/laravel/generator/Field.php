<?php

declare(strict_types=1);

namespace Msab\Laravel\Generator;

/** One property of a schema, and how PHP sees it. */
final class Field
{
    /** @var array<string, mixed> of each item, where it is a list */
    private array $value;

    public readonly bool $isList;

    /** @param  array<string, mixed>  $property */
    public function __construct(
        private readonly Schema $owner,
        public readonly string $key,
        private readonly array $property,
        private readonly bool $isInRequired,
    ) {
        $this->isList = ($property['type'] ?? null) === 'array';
        $this->value = $this->isList ? $property['items'] : $property;
        $this->value = $this->value['allOf'][0] ?? $this->value['anyOf'][0] ?? $this->value;
    }

    /** The PHP property: `user_id` → `userId`. */
    public function name(): string
    {
        return lcfirst(self::studly($this->key));
    }

    public static function studly(string $name): string
    {
        return str_replace('_', '', ucwords($name, '_'));
    }

    public function description(): string
    {
        return $this->property['description'] ?? '';
    }

    /** Written as `null` where it is unset, instead of being left out. */
    public function isNullable(): bool
    {
        return in_array('null', (array) ($this->value['type'] ?? []), true) || isset($this->property['anyOf']);
    }

    public function isRequired(): bool
    {
        return $this->isInRequired && ! $this->isNullable();
    }

    /** Whether its key is in the JSON in any case. */
    public function isAlwaysWritten(): bool
    {
        return $this->isInRequired;
    }

    /** @return list<string>|null a closed set of strings */
    public function allowed(): ?array
    {
        $allowed = $this->value['enum'] ?? null;

        return $allowed === null ? null : array_values(array_filter($allowed, is_string(...)));
    }

    /** The key of the schema it refers to. */
    public function reference(): ?string
    {
        $prefix = '#/components/schemas/';
        $reference = $this->value['$ref'] ?? null;

        return $reference === null ? null : substr($reference, strlen($prefix));
    }

    public function format(): string
    {
        return $this->value['x-format'] ?? '';
    }

    /** `integer`, `string`, `boolean`, `number` or `object`. */
    public function type(): string
    {
        return $this->reference() !== null ? 'object' : (string) current(array_diff((array) $this->value['type'], ['null']));
    }

    /** The enum or the class of its values, without namespace. */
    public function className(): ?string
    {
        return match (true) {
            $this->allowed() !== null => self::studly($this->key),
            $this->reference() !== null => substr((string) strrchr('.'.$this->reference(), '.'), 1),
            default => null,
        };
    }

    /** That, below the events' namespace. */
    public function classPath(): ?string
    {
        return match (true) {
            $this->allowed() !== null => $this->owner->path().'\\'.$this->className(),
            $this->reference() !== null => str_replace('.', '\\', $this->reference()),
            default => null,
        };
    }

    /** The type of one value, without null. */
    public function valueType(): string
    {
        if ($this->allowed() !== null) {
            return $this->className().'|string';
        }

        return match ($this->type()) {
            'integer' => 'int',
            'number' => 'float',
            'boolean' => 'bool',
            'object' => (string) $this->className(),
            default => $this->format() === 'room-id' ? 'int|string' : 'string',
        };
    }

    public function bound(string $rule): ?int
    {
        return $this->value[$rule] ?? null;
    }

    public function itemBound(string $rule): ?int
    {
        return $this->property[$rule] ?? null;
    }
}
