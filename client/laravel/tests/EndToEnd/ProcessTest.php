<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use Msab\Laravel\Tests\RelayTestCase;
use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\Attributes\TestWith;
use Symfony\Component\Process\Process;

/** What gRPC's threads do not bear, and PHP without the extension. */
#[Group('long')]
final class ProcessTest extends RelayTestCase
{
    public function test_processes_may_be_run_between_two_emits(): void
    {
        $process = $this->command(['example:process']);

        $this->assertSame("first grpc accepted\nsecond grpc accepted\n", $process->getOutput(), $process->getErrorOutput());
    }

    #[TestWith([true])]
    #[TestWith([false])]
    public function test_a_fork_of_the_command_line_speaks_by_the_twin(bool $warm): void
    {
        $process = $this->command(['example:fork', ...($warm ? ['--warm'] : [])]);

        $lines = array_count_values(explode("\n", trim($process->getOutput())));
        ksort($lines);
        $this->assertSame(
            ['child http accepted' => 6, 'parent grpc accepted' => $warm ? 2 : 1],
            $lines,
            $process->getErrorOutput(),
        );
    }

    public function test_without_the_extension_the_twin_is_used(): void
    {
        $noGrpc = ['PHP_INI_SCAN_DIR' => $this->iniDirectoryWithoutGrpc()];
        $loaded = new Process([PHP_BINARY, '-r', 'echo extension_loaded("grpc") ? "yes" : "no";'], env: $noGrpc);
        $this->assertSame('no', $loaded->mustRun()->getOutput());
        $client = $this->relay->connect(42);

        $process = $this->command(['msab:emit', 'balance.updated', '{"user_id":42,"coins":"1"}'], $noGrpc);

        $this->assertSame(0, $process->getExitCode(), $process->getOutput());
        $this->assertStringContainsString('was accepted by http', $process->getOutput());
        $this->assertSame('1', $client->next('balance.updated')['data']['coins']);

        $asked = $this->command(['msab:emit', 'balance.updated', '{"user_id":42}'], $noGrpc + ['MSAB_TRANSPORT' => 'grpc']);
        $this->assertNotSame(0, $asked->getExitCode());
        $this->assertStringContainsString('PHP has no grpc extension', $asked->getOutput().$asked->getErrorOutput());
    }

    private function iniDirectoryWithoutGrpc(): string
    {
        $directory = $this->workDirectory().'/ini';
        mkdir($directory);
        foreach (array_filter(array_map(trim(...), explode(',', (string) php_ini_scanned_files()))) as $file) {
            if (! str_contains((string) file_get_contents($file), 'grpc.so')) {
                symlink($file, "$directory/".basename($file));
            }
        }

        return $directory;
    }
}
