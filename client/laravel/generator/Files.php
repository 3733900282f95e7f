<?php

declare(strict_types=1);

namespace Msab\Laravel\Generator;

/** Directories of generated files. */
final class Files
{
    /**
     * Makes the directory hold these files and no others.
     *
     * @param  array<string, string>  $files  content by path within the directory
     */
    public static function replace(string $directory, array $files): void
    {
        self::remove($directory);
        foreach ($files as $path => $content) {
            $file = "$directory/$path";
            if (! is_dir(dirname($file)) && ! mkdir(dirname($file), 0777, true)) {
                throw new \RuntimeException("can't make ".dirname($file));
            }
            file_put_contents($file, $content);
        }
    }

    /** @return array<string, string> content by path within the directory, sorted */
    public static function read(string $directory): array
    {
        $files = [];
        if (is_dir($directory)) {
            $entries = new \RecursiveIteratorIterator(
                new \RecursiveDirectoryIterator($directory, \FilesystemIterator::SKIP_DOTS),
            );
            foreach ($entries as $entry) {
                $files[substr($entry->getPathname(), strlen($directory) + 1)] = (string) file_get_contents($entry->getPathname());
            }
        }
        ksort($files);

        return $files;
    }

    public static function remove(string $directory): void
    {
        if (! is_dir($directory)) {
            return;
        }
        $entries = new \RecursiveIteratorIterator(
            new \RecursiveDirectoryIterator($directory, \FilesystemIterator::SKIP_DOTS),
            \RecursiveIteratorIterator::CHILD_FIRST,
        );
        foreach ($entries as $entry) {
            $entry->isDir() ? rmdir($entry->getPathname()) : unlink($entry->getPathname());
        }
        rmdir($directory);
    }
}
