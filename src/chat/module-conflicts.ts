import { VERSION_NEUTRAL } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { AppError } from '../errors.js';
import type { RouteVersion } from '../http/place-controller.js';
import type { Storage } from '../storage/storage.js';

/** Paths of one instance of the module, by the options that set them. */
export interface ModulePlaces {
  readonly paths: readonly { readonly option: string; readonly path: string }[];
  readonly version: RouteVersion;
}

/** Finds instances of the module in one application that would be in each other's way. */
export class ModuleConflicts {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly places: ModulePlaces,
    private readonly storage: Storage,
  ) {}

  /**
   * Refuses a start in which another instance has a path of this one, so that one of the two would never be asked, or its data, so
   * that each would work on the runs of the other's agents.
   *
   * @throws AppError CONFIG_INVALID
   */
  assertNone(): void {
    const others = [...this.modules.values()]
      .flatMap(({ providers }) => [...providers.values()].map(({ instance }) => instance))
      .filter((instance) => instance instanceof ModuleConflicts)
      .filter((instance) => instance !== this);
    const faults = others.flatMap((other) => [...this.findSharedPaths(other), ...this.findSharedData(other)]);
    if (faults.length > 0) throw new AppError('CONFIG_INVALID', faults.join('\n'));
  }

  private findSharedPaths({ places }: ModuleConflicts): string[] {
    if (!toVersions(places.version).some((version) => toVersions(this.places.version).includes(version)))
      return [];
    return this.places.paths
      .filter(({ path }) => places.paths.some((other) => trimSlashes(other.path) === trimSlashes(path)))
      .map(
        ({ option, path }) =>
          `Two ChatModules have the ${option} '${path}', and only the first would be asked. Give one of them another ${option}. ` +
          'If they are meant to be one, call forRoot once, in a module of your own that imports and exports ChatModule.',
      );
  }

  private findSharedData({ storage }: ModuleConflicts): string[] {
    const { location } = this.storage;
    const isShared = storage === this.storage || (location !== undefined && storage.location === location);
    if (!isShared) return [];
    return [
      `Two ChatModules keep their data in one place (${location ?? 'the same storage object'}), and would work on the runs of each ` +
        "other's agents. Give each a storage of its own: another directory, database or schema.",
    ];
  }
}

function toVersions(version: RouteVersion): readonly (string | typeof VERSION_NEUTRAL)[] {
  return Array.isArray(version) ? version : [version as string | typeof VERSION_NEUTRAL];
}

function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}
