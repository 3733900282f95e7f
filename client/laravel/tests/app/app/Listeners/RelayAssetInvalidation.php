<?php

namespace App\Listeners;

use App\Events\AssetsUpdated;
use Msab\Laravel\Events\AssetInvalidate;
use Msab\Laravel\Facades\Msab;

/** `asset:invalidate` */
final class RelayAssetInvalidation
{
    public function handle(AssetsUpdated $event): void
    {
        foreach (array_chunk($event->assetIds, 1000) as $assetIds) {
            Msab::toEveryone()->emit(new AssetInvalidate($assetIds));
        }
    }
}
