<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit;

use Msab\Laravel\Contract\CatalogEvent;
use Msab\Laravel\Contract\Fingerprint;
use Msab\Laravel\Events\Catalog;
use Msab\Laravel\Generator\Files;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

require_once __DIR__.'/../../generator/Files.php';

final class GeneratedTest extends TestCase
{
    private const PACKAGE = __DIR__.'/../..';

    private string $out;

    protected function setUp(): void
    {
        $this->out = sys_get_temp_dir().'/msab-generated-'.bin2hex(random_bytes(6));
    }

    protected function tearDown(): void
    {
        Files::remove($this->out);
    }

    public function test_generating_again_changes_nothing(): void
    {
        $generate = new Process([PHP_BINARY, self::PACKAGE.'/bin/generate', '--relay', getenv('MSAB_RELAY'), '--out', $this->out]);
        $generate->mustRun();

        foreach (['src/Events', 'generated'] as $directory) {
            $made = Files::read("$this->out/$directory");
            $committed = Files::read(self::PACKAGE."/$directory");
            $this->assertGreaterThan(20, count($made));
            $this->assertSame(array_keys($made), array_keys($committed), "client/laravel/$directory: run client/laravel/bin/generate");
            foreach ($made as $path => $content) {
                $this->assertSame($content, $committed[$path], "client/laravel/$directory/$path: run client/laravel/bin/generate");
            }
        }
    }

    public function test_the_catalog_has_the_requirements_events(): void
    {
        $this->assertSame([], array_diff([
            'balance.updated', 'reward.earned', 'badge.earned', 'income_target.completed', 'room.level_up',
            'agency.invitation', 'agency.join_request', 'agency.join_request_approved', 'agency.join_request_rejected',
            'agency.member_kicked', 'agency.dissolved', 'config:invalidate', 'asset:invalidate',
            'gift:received', 'gift:error', 'chat:message', 'room:userJoined', 'room:userLeft', 'speaker:active',
        ], array_keys(Catalog::EVENTS)));
        foreach (Catalog::EVENTS as $class) {
            $this->assertTrue(is_subclass_of($class, CatalogEvent::class));
        }
    }

    public function test_comments_and_order_are_not_part_of_the_fingerprint(): void
    {
        $own = array_map(fn () => false, array_filter(getenv(), fn (string $name) => str_starts_with($name, 'MSAB_'), ARRAY_FILTER_USE_KEY));
        $document = json_decode((new Process([getenv('MSAB_RELAY'), '--print-contract'], env: $own))->mustRun()->getOutput(), true);
        $this->assertSame(Catalog::FINGERPRINT, Fingerprint::of($document));

        $other = $document;
        $other['components']['schemas'] = array_reverse($other['components']['schemas']);
        $other['components']['schemas']['BalanceUpdated']['description'] = 'Something else.';
        $other['components']['messages']['Custom1'] = ['name' => 'order.*', 'x-custom' => true, 'x-emit-field' => 'custom'];
        unset($other['components']['messages']['GiftSendCommand']);
        $this->assertSame(Catalog::FINGERPRINT, Fingerprint::of($other));

        $other['components']['schemas']['BadgeEarned.Badge']['properties']['name']['maxLength'] = 255;
        $this->assertNotSame(Catalog::FINGERPRINT, Fingerprint::of($other));
    }
}
