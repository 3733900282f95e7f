<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit;

use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Testing\MsabFake;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

/** The package as strangers get it: its archive, and what its README tells them to write. */
final class PackageTest extends TestCase
{
    private const ROOT = __DIR__.'/../../';

    public function test_the_archive_holds_what_an_application_needs_and_the_licence(): void
    {
        $composer = fn (string ...$arguments) => (new Process(['composer', ...$arguments], self::ROOT, ['COMPOSER_ALLOW_SUPERUSER' => '1']))->mustRun();
        $composer('validate', '--strict');
        $directory = sys_get_temp_dir().'/msab-archive-'.bin2hex(random_bytes(6));
        $composer('archive', '--format=tar', "--dir=$directory", '--file=package');
        $names = array_keys(iterator_to_array(new \PharData("$directory/package.tar")));
        $names = array_map(fn (string $name) => basename($name), $names);
        (new Process(['rm', '-rf', $directory]))->mustRun();

        sort($names);
        $this->assertSame(['LICENSE', 'README.md', 'composer.json', 'config', 'database', 'generated', 'src', 'stubs'], $names);
        $this->assertFileEquals(self::ROOT.'../../LICENSE', self::ROOT.'LICENSE');
    }

    /** @return array<string, array{string}> by the line that each begins in */
    public static function examples(): array
    {
        $readme = (string) file_get_contents(self::ROOT.'README.md');
        preg_match_all('/^```php\n(.*?)^```$/ms', $readme, $blocks, PREG_OFFSET_CAPTURE);
        $examples = [];
        foreach ($blocks[1] as [$code, $offset]) {
            $examples['line '.(substr_count($readme, "\n", 0, $offset) + 1)] = [$code];
        }

        return $examples;
    }

    #[DataProvider('examples')]
    public function test_an_example_of_the_readme_is_php_and_names_what_there_is(string $code): void
    {
        $this->assertNotSame([], token_get_all("<?php\n$code", TOKEN_PARSE));
        foreach (self::imports($code) as $name) {
            $exists = class_exists($name) || interface_exists($name) || enum_exists($name);
            $this->assertTrue($exists || is_dir(self::ROOT.'src/'.strtr(substr($name, strlen('Msab\\Laravel\\')), '\\', '/')), $name);
        }
        preg_match_all('/\bMsab::(\w+)\(/', $code, $calls);
        foreach ($calls[1] as $method) {
            $this->assertTrue(method_exists(\Msab\Laravel\Msab::class, $method) || method_exists(Msab::class, $method), "Msab::$method()");
        }
        preg_match_all('/\$msab->(\w+)\(/', $code, $assertions);
        foreach ($assertions[1] as $method) {
            $this->assertTrue(method_exists(MsabFake::class, $method), "$method()");
        }
    }

    /** @return list<string> what it imports of this package, groups taken apart */
    private static function imports(string $code): array
    {
        preg_match_all('/^use (Msab\\\\[^;{ ]+?)(?:\\\\\{([^}]+)\})?(?: as \w+)?;/m', $code, $uses, PREG_SET_ORDER);
        $names = [];
        foreach ($uses as $use) {
            foreach (explode(',', $use[2] ?? '') as $part) {
                $names[] = rtrim($use[1].'\\'.trim($part), '\\');
            }
        }

        return $names;
    }
}
