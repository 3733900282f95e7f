<?php

declare(strict_types=1);

namespace Msab\Laravel\Generator;

/** The schema of one object. */
final class Schema
{
    /** @var list<Field> */
    private readonly array $fields;

    /** @param  array<string, mixed>  $schema */
    public function __construct(
        public readonly string $key,
        private readonly array $schema,
    ) {
        $fields = [];
        foreach ($schema['properties'] as $name => $property) {
            $required = in_array($name, $schema['required'] ?? [], true);
            $fields[] = new Field($this, (string) $name, $property, $required);
        }
        $this->fields = $fields;
    }

    /** `AgencyInvitation.Agency` → `AgencyInvitation\Agency`, below whatever namespace. */
    public function path(): string
    {
        return str_replace('.', '\\', $this->key);
    }

    public function description(): string
    {
        return $this->schema['description'] ?? '';
    }

    /** @return list<Field> in the contract's order */
    public function fields(): array
    {
        return $this->fields;
    }

    /** The map that holds further keys, by its name in the .proto. */
    public function spreadField(): ?string
    {
        return $this->schema['x-spread-field'] ?? null;
    }

    /** The number of a property in the .proto. */
    public function number(string $key): int
    {
        return $this->schema['x-proto-numbers'][$key];
    }

    /** @return list<string> keys of the schemas that its fields refer to */
    public function references(): array
    {
        return array_values(array_filter(array_map(fn (Field $field) => $field->reference(), $this->fields())));
    }
}
