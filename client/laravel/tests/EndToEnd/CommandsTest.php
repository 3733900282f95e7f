<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use Illuminate\Support\Facades\Artisan;
use Msab\Laravel\Tests\RelayTestCase;
use Msab\Laravel\Tests\Support\TestRelay;
use Msab\Laravel\Transport\Transports;
use PHPUnit\Framework\Attributes\Group;

#[Group('long')]
final class CommandsTest extends RelayTestCase
{
    /** @return array{int, string} exit code and what was printed, on one line */
    private function artisanOutput(string $command): array
    {
        $this->app->forgetInstance(Transports::class);
        $this->withoutMockingConsoleOutput();
        $status = Artisan::call($command);

        return [$status, (string) preg_replace('/[\s.]+/', ' ', Artisan::output())];
    }

    public function test_emit_shows_the_relays_answer_and_every_fault(): void
    {
        $client = $this->relay->connect(42, ['lobby']);

        [$status, $output] = $this->artisanOutput('msab:emit balance.updated \'{"user_id":42,"coins":"1"}\'');
        $this->assertSame(0, $status, $output);
        $this->assertStringContainsString('usersOnline 1', $output);
        $this->assertSame('1', $client->next('balance.updated')['data']['coins']);

        [$status, $output] = $this->artisanOutput('msab:emit order.shipped \'{"id":7}\' --room=lobby --id=o-7');
        $this->assertSame(0, $status, $output);
        $this->assertSame(['id' => 7], $client->next('order.shipped')['data']);

        [$status, $output] = $this->artisanOutput('msab:emit balance.updated \'{"coins":"many","gems":1}\' --user=42');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('gems: is no field of this event', $output);

        [$status, $output] = $this->artisanOutput('msab:emit unheard-of \'{"id":7}\' --user=42');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('INVALID_ARGUMENT', $output);

        [$status, $output] = $this->artisanOutput('msab:emit agency.dissolved \'{"agency_id":1,"agency_name":"A"}\'');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('doesn\'t say whom it is for', $output);
    }

    public function test_with_the_caches_of_a_deployment_all_is_there(): void
    {
        foreach (['config:cache', 'route:cache', 'event:cache'] as $cache) {
            $process = $this->command([$cache]);
            $this->assertSame(0, $process->getExitCode(), $process->getOutput());
        }
        // From here on the configuration is what was cached; the environment is not asked.
        $none = array_fill_keys(array_keys($this->relay->environment()), false);
        $emitted = $this->command(['msab:emit', 'balance.updated', '{"user_id":42,"coins":"1"}'], $none);
        $this->assertSame(0, $emitted->getExitCode(), $emitted->getOutput());
        $routes = json_decode($this->command(['route:list', '--json', '--path=msab'], $none)->getOutput(), true);
        $this->assertEqualsCanonicalizing(['msab.token', 'msab.webhook'], array_column($routes, 'name'));
        $this->assertSame(1.0, $this->relay->metric('msab_emits_accepted_total'));
    }

    public function test_doctor_finds_a_sound_installation(): void
    {
        [$status, $output] = $this->artisanOutput('msab:doctor');

        $this->assertSame(0, $status, $output);
        foreach (['gRPC extension 1', 'grpc enable_fork_support off', 'Relay by gRPC answers', 'Relay by HTTP answers', 'Contract', 'Clock as the relay\'s', 'Delivery queue (database)', 'Tokens no key to sign them with', 'Webhook not set up'] as $line) {
            $this->assertStringContainsString($line, $output);
        }
    }

    public function test_doctor_names_what_is_wrong(): void
    {
        config(['msab.connections.default.key' => 'no-such-key']);
        [$status, $output] = $this->artisanOutput('msab:doctor');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('MSAB_API_KEY is none of the relay\'s auth api_keys', $output);

        config(['msab.connections.default.key' => null]);
        [$status, $output] = $this->artisanOutput('msab:doctor');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('API key none', $output);

        config(['msab.connections.default.key' => 'k', 'msab.connections.default.transport' => 'pigeon']);
        [$status, $output] = $this->artisanOutput('msab:doctor');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('must be auto, grpc, http, log or null', $output);

        config(['msab.connections.default.transport' => 'auto', 'msab.connections.default.key' => TestRelay::KEY]);
        config(['msab.delivery' => 'qeue']);
        [$status, $output] = $this->artisanOutput('msab:doctor');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('msab delivery is \'qeue\': must be queue, outbox, defer or sync', $output);
        config(['msab.delivery' => 'queue', 'msab.broadcasting.room_channels' => ['floors.{floor}.rooms.{id}']]);
        [$status, $output] = $this->artisanOutput('msab:doctor');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('must have one placeholder', $output);
        config(['msab.broadcasting.room_channels' => ['room.{id}']]);

        $this->travel(1)->hours();
        [$status, $output] = $this->artisanOutput('msab:doctor');
        $this->assertSame(1, $status);
        $this->assertMatchesRegularExpression('/Clock 3(599|600|601) s apart from the relay/', $output);
        $this->travelBack();

        config(['msab.token.secret' => 'short']);
        [$status, $output] = $this->artisanOutput('msab:doctor');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('MSAB_JWT_SECRET) has 5 bytes', $output);

        $this->relay->stop();
        config(['msab.connections.default.transport' => 'auto']);
        [$status, $output] = $this->artisanOutput('msab:doctor');
        $this->assertSame(1, $status);
        $this->assertStringContainsString('UNAVAILABLE', $output);

        // With the size said, artisan runs no process to find it, which would hang before the doctor speaks.
        $forking = $this->command(['msab:doctor'], [
            'PHP_INI_SCAN_DIR' => $this->iniDirectoryWithForkSupport(), 'COLUMNS' => '120', 'LINES' => '40',
        ]);
        $this->assertStringContainsString('proc_open and pcntl_fork can deadlock', $forking->getOutput());
    }

    private function iniDirectoryWithForkSupport(): string
    {
        $directory = $this->workDirectory().'/ini';
        mkdir($directory);
        file_put_contents("$directory/fork.ini", 'grpc.enable_fork_support = 1');

        return PHP_CONFIG_FILE_SCAN_DIR.':'.$directory;
    }
}
