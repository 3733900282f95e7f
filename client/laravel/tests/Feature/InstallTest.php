<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature;

use Illuminate\Support\Facades\File;
use Illuminate\Support\Str;
use Msab\Laravel\Outbox\OutboxServiceProvider;
use Msab\Laravel\Tests\TestCase;
use Msab\Laravel\Webhook\WebhookSecret;
use Symfony\Component\Process\Process;

final class InstallTest extends TestCase
{
    private string $directory;

    protected function setUp(): void
    {
        parent::setUp();
        $this->directory = sys_get_temp_dir().'/msab-install-'.bin2hex(random_bytes(6));
        File::ensureDirectoryExists("$this->directory/config");
        File::ensureDirectoryExists("$this->directory/app");
        $this->app->useConfigPath("$this->directory/config");
        $this->app->useDatabasePath("$this->directory/database");
        $this->app->useAppPath("$this->directory/app");
    }

    protected function tearDown(): void
    {
        File::deleteDirectory($this->directory);
        parent::tearDown();
    }

    /** The provider said at boot where things go; that was the test application. */
    private function reboot(): void
    {
        (new \Msab\Laravel\MsabServiceProvider($this->app))->boot($this->app->make('events'));
        $this->app->setBasePath($this->directory);
        $this->app->useConfigPath("$this->directory/config");
        $this->app->getProvider(OutboxServiceProvider::class)?->boot();
    }

    public function test_it_publishes_the_configuration_and_adds_the_settings_once(): void
    {
        $this->reboot();
        File::put("$this->directory/.env", "APP_NAME=Mine\n");

        $this->artisan('msab:install')->assertSuccessful();
        $this->artisan('msab:install')->assertSuccessful();

        $this->assertFileEquals(__DIR__.'/../../config/msab.php', "$this->directory/config/msab.php");
        $env = File::get("$this->directory/.env");
        $this->assertStringStartsWith("APP_NAME=Mine\n", $env);
        $this->assertSame(1, substr_count($env, 'MSAB_API_KEY='));
        $this->assertStringContainsString('MSAB_GRPC=127.0.0.1:50051', $env);
    }

    public function test_a_file_without_a_last_newline_keeps_its_last_setting(): void
    {
        $this->reboot();
        File::put("$this->directory/.env", 'MSAB_API_KEY=mine');

        $this->artisan('msab:install --webhook')->assertSuccessful();

        $this->assertMatchesRegularExpression('/^MSAB_API_KEY=mine\nMSAB_WEBHOOK_SECRETS=whsec_\S+\n$/', File::get("$this->directory/.env"));
    }

    public function test_for_the_webhook_it_publishes_the_migrations_and_makes_a_handler_and_a_secret_once(): void
    {
        $this->reboot();
        File::put("$this->directory/.env", "APP_NAME=Mine\n");

        $this->artisan('msab:install --webhook')->assertSuccessful();
        $secret = Str::match('/^MSAB_WEBHOOK_SECRETS=(.*)$/m', File::get("$this->directory/.env"));
        File::append("$this->directory/app/Relay/SendGift.php", '// mine');
        $this->travel(1)->minutes();
        $this->artisan('msab:install --webhook --outbox')->assertSuccessful();

        $this->assertCount(1, WebhookSecret::parseAll($secret));
        $this->assertSame($secret, Str::match('/^MSAB_WEBHOOK_SECRETS=(.*)$/m', File::get("$this->directory/.env")));
        $this->assertCount(2, File::glob("$this->directory/database/migrations/*_create_msab_*.php"));
        $this->assertStringEndsWith('// mine', File::get("$this->directory/app/Relay/SendGift.php"));
        $this->assertTrue((new Process([PHP_BINARY, '-l', "$this->directory/app/Relay/SendGift.php"]))->mustRun()->isSuccessful());
    }
}
