<?php

declare(strict_types=1);

namespace Msab\Laravel\Generator;

/** Protobuf's own PHP classes of the relay's messages, made by protoc. */
final class ProtoClasses
{
    private const FILES = [
        'msab/v1/options.proto',
        'msab/v1/events.proto',
        'msab/v1/event_service.proto',
        'google/rpc/status.proto',
        'google/rpc/error_details.proto',
    ];

    public function __construct(
        private readonly string $protoc,
        private readonly string $protoDirectory,
    ) {}

    public function writeTo(string $directory): void
    {
        $work = sys_get_temp_dir().'/msab-generate-'.bin2hex(random_bytes(6));
        mkdir("$work/out", 0777, true);
        try {
            $this->run($work);
            $files = array_filter(Files::read("$work/out"), self::isWanted(...), ARRAY_FILTER_USE_KEY);
            Files::replace($directory, $files);
        } finally {
            Files::remove($work);
        }
    }

    /**
     * google/rpc under a name of our own: an application may have Google's package of these classes,
     * which knows more messages in the same files, and only one of both can be loaded. The bytes are
     * the same.
     */
    private function run(string $work): void
    {
        $names = [];
        foreach (self::FILES as $file) {
            $text = file_get_contents("$this->protoDirectory/$file");
            if ($text === false) {
                throw new \RuntimeException("can't read $this->protoDirectory/$file");
            }
            $names[] = $name = str_replace('google/rpc/', 'msab/rpc/', $file);
            @mkdir(dirname("$work/proto/$name"), 0777, true);
            file_put_contents("$work/proto/$name", strtr($text, [
                'google/rpc/' => 'msab/rpc/',
                'package google.rpc;' => 'package msab.rpc;',
                'google.rpc.' => 'msab.rpc.',
                'option php_namespace = "Google\\\\Rpc";' => 'option php_namespace = "Msab\\\\Rpc"; option php_metadata_namespace = "Msab\\\\Rpc\\\\Metadata";',
            ]));
        }
        $command = array_merge(
            [$this->protoc, '-I', "$work/proto", "--php_out=$work/out"],
            $names,
        );
        exec(implode(' ', array_map(escapeshellarg(...), $command)).' 2>&1', $output, $status);
        if ($status !== 0) {
            throw new \RuntimeException("$this->protoc: ".implode("\n", $output));
        }
    }

    /** Not the deprecated names of nested classes (`BadgeEarned_Badge`). */
    private static function isWanted(string $path): bool
    {
        return ! str_contains(basename($path), '_');
    }
}
