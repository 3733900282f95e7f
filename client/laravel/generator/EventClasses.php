<?php

declare(strict_types=1);

namespace Msab\Laravel\Generator;

/** The package's classes of the contract's events, and of the objects and enums within them. */
final class EventClasses
{
    public function __construct(private readonly Contract $contract) {}

    public function writeTo(string $directory): void
    {
        Files::replace($directory, $this->files());
    }

    /** @return array<string, string> */
    private function files(): array
    {
        $files = ['Catalog.php' => $this->catalog()];
        $waiting = array_keys($this->contract->events());
        while (($key = array_shift($waiting)) !== null) {
            $schema = $this->contract->schema($key);
            $path = str_replace('\\', '/', $schema->path());
            if (isset($files["$path.php"])) {
                continue;
            }
            $writer = new ClassWriter($schema, $this->contract->events()[$key] ?? null);
            $files["$path.php"] = $writer->class();
            foreach ($writer->enums() as $name => $code) {
                $files["$path/$name.php"] = $code;
            }
            array_push($waiting, ...$schema->references());
        }

        return $files;
    }

    private function catalog(): string
    {
        $entries = '';
        foreach ($this->contract->events() as $key => $event) {
            $entries .= "        '{$event['name']}' => $key::class,\n";
        }

        return ClassWriter::head('Msab\\Laravel\\Events', ['Msab\\Laravel\\Contract\\CatalogEvent'])
            .Code::comment(['The contract\'s events by name, and the contract that these classes were made from.'])
            .<<<PHP
            final class Catalog
            {
                /** {@see \Msab\Laravel\Contract\Fingerprint} of that contract. */
                public const FINGERPRINT = '{$this->contract->fingerprint()}';

                /** @var array<string, class-string<CatalogEvent>> */
                public const EVENTS = [
            $entries    ];
            }

            PHP;
    }
}
