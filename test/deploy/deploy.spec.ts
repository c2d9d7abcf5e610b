// oxlint-disable typescript/no-explicit-any -- manifests are looked into by many paths, and their schemas are checked as a whole
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service } from 'kubernetes-models/v1';
import { parse, parseAllDocuments } from 'yaml';
import { MANIFESTS, renderChart, renderTemplate, writeManifests } from '../../scripts/render-chart.mjs';
import { SETTING_NAMES } from '../../src/app/settings/settings.js';

const read = (path: string) => readFileSync(path, 'utf8');

/** What a shutdown takes beyond the drain: as `src/app/lifecycle.ts` has it. */
const CLOSE_GRACE_SECONDS = 5;

const isSetting = (name: string) => (SETTING_NAMES as readonly string[]).includes(name);

interface Manifest {
  readonly kind: string;
  readonly spec: Record<string, any>;
}

const MODELS = {
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  NetworkPolicy,
  PodDisruptionBudget,
  Service,
} as unknown as Record<string, new (content: object) => { validate(): void }>;

/** The manifests of the chart by kind; throws for one that Kubernetes' schemas refuse. */
function manifests(overrides = {}): Record<string, Manifest['spec']> {
  const found = renderChart(overrides)
    .filter(({ text }) => text.trim() !== '')
    .map(({ text }) => parse(text) as Manifest);
  for (const manifest of found) new MODELS[manifest.kind]!(manifest).validate();
  return Object.fromEntries(found.map(({ kind, spec }) => [kind, spec]));
}

const ALL = { metricsPort: 9464, autoscaling: { enabled: true } };

describe('the Helm chart', () => {
  it.each([
    ['its default values', {}, ['Deployment', 'Job', 'NetworkPolicy', 'PodDisruptionBudget', 'Service']],
    [
      'all parts',
      ALL,
      ['Deployment', 'HorizontalPodAutoscaler', 'Job', 'NetworkPolicy', 'PodDisruptionBudget', 'Service'],
    ],
    [
      'as few parts as possible',
      { migrate: { enabled: false }, networkPolicy: { enabled: false } },
      ['Deployment', 'PodDisruptionBudget', 'Service'],
    ],
  ])('makes manifests that fit the schemas of Kubernetes, with %s', (_, values, kinds) => {
    expect(Object.keys(manifests(values)).toSorted()).toEqual(kinds);
  });

  it('gives a pod the time to hand over its runs', () => {
    for (const [drainSeconds, preStopSeconds] of [
      [20, 5],
      [300, 0],
    ] as const) {
      const { spec } = manifests({ drainSeconds, preStopSeconds })['Deployment']!['template'];
      const [{ env, lifecycle }] = spec.containers;
      expect(env).toContainEqual({ name: 'DRAIN_SECONDS', value: String(drainSeconds) });
      expect(lifecycle.preStop.sleep.seconds).toBe(preStopSeconds);
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
        preStopSeconds + drainSeconds + CLOSE_GRACE_SECONDS,
      );
    }
  });

  it('runs as a user without rights, on a file system that it cannot write', () => {
    const { Deployment: deployment, Job: job } = manifests();
    for (const { spec } of [deployment!['template'], job!['template']]) {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(spec.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('names settings that exist, and leaves the number of pods to the autoscaler where there is one', () => {
    const { Deployment: deployment, HorizontalPodAutoscaler: scaler } = manifests(ALL);
    const [{ env, ports }] = deployment!['template'].spec.containers;
    expect(env.filter(({ name }: { name: string }) => !isSetting(name))).toEqual([]);
    expect(ports.map(({ name }: { name: string }) => name)).toEqual(['http', 'metrics']);
    expect(deployment!['replicas']).toBeUndefined();
    expect(scaler!['metrics'][0].object.metric.name).toBe('agent_stream_runs_waiting');
    expect(manifests()['Deployment']!['replicas']).toBe(2);
  });

  it('is what the plain manifests were written from', () => {
    expect(read(MANIFESTS)).toBe(writeManifests());
    expect(parseAllDocuments(read(MANIFESTS)).flatMap(({ errors }) => errors)).toEqual([]);
  });
});

describe('the renderer of the chart', () => {
  const render = (template: string, values = {}) => renderTemplate(template, { Values: values });

  it('writes values, conditions, lists and blocks as Helm does', () => {
    expect(render('a: {{ .Values.a.b }}\n', { a: { b: 1 } })).toBe('a: 1\n');
    expect(render('a:\n  {{- if .Values.on }}\n  b: 1\n  {{- end }}\nc: 2\n', { on: true })).toBe(
      'a:\n  b: 1\nc: 2\n',
    );
    expect(render('a:\n  {{- if not .Values.on }}\n  b: 1\n  {{- end }}\nc: 2\n', { on: true })).toBe(
      'a:\nc: 2\n',
    );
    expect(
      render('{{- range $name, $value := .Values.m }}\n{{ $name }}={{ $value | quote }}\n{{- end }}', {
        m: { b: 2, a: 'x' },
      }),
    ).toBe('\na="x"\nb="2"');
    expect(
      render('{{- if .Values.no }}{{- range $name, $value := .Values.m }}x{{- end }}{{- end }}y', { m: {} }),
    ).toBe('y');
    expect(render('g: {{ add .Values.a 5 }}', { a: 2 })).toBe('g: 7');
    expect(render('r:\n  {{- toYaml .Values.r | nindent 2 }}', { r: { a: { b: 1 } } })).toBe(
      'r:\n  a:\n    b: 1',
    );
    expect(render('{{ .Values.t | default .Values.d }}', { t: '', d: 'x' })).toBe('x');
  });

  it('refuses what it does not know', () => {
    expect(() => render('{{ include "x" . }}')).toThrow("does not know 'include'");
    expect(() => render('{{ end }}')).toThrow('without a beginning');
  });
});

describe('the Dockerfile', () => {
  const instructions = DockerfileParser.parse(read('Dockerfile')).getInstructions();
  const found = (keyword: string) => instructions.filter((each) => each.getKeyword() === keyword);
  const argumentsOf = (instruction: Instruction) => instruction.getArguments().map((each) => each.getValue());

  it('ends with a stage that has no shell, no root and no packages of development', () => {
    const last = instructions.slice(instructions.lastIndexOf(found('FROM').at(-1)!));
    expect(argumentsOf(last[0]!)[0]).toMatch(/^gcr\.io\/distroless\/nodejs24-debian\d+:nonroot$/);
    expect(last.filter((each) => each.getKeyword() === 'RUN')).toEqual([]);
    expect(found('USER').map(argumentsOf)).toEqual([['65532:65532']]);
    // Without brackets Docker calls a shell, which is not there, and which would keep the signals for itself.
    for (const keyword of ['ENTRYPOINT', 'CMD'])
      expect(found(keyword)[0]!.getArgumentsContent()).toMatch(/^\[".*"\]$/);
    expect(found('HEALTHCHECK')[0]!.getArgumentsContent()).toContain(
      '["/nodejs/bin/node", "scripts/healthcheck.mjs"]',
    );
  });

  it('copies only what is there and in its context', () => {
    const inContext = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = found('COPY')
      .map(argumentsOf)
      .flatMap((parts) => parts.slice(0, -1))
      // Of another stage, and the whole context.
      .filter((source) => !source.startsWith('/') && source !== '.');
    expect(sources.length).toBeGreaterThan(5);
    for (const source of sources)
      expect([source, existsSync(source), inContext.includes(source)]).toEqual([source, true, true]);
    expect(inContext.filter((path) => !existsSync(path))).toEqual([]);
  });

  it('sets settings that exist, and starts files that the build makes', () => {
    const names = found('ENV')
      .flatMap(argumentsOf)
      .map((pair) => pair.split('=')[0]!);
    expect(names.filter((name) => name !== 'NODE_ENV' && !isSetting(name))).toEqual([]);
    const args = manifests()['Job']!['template'].spec.containers[0].args as string[];
    for (const started of ['dist/main.js', ...args])
      expect(existsSync(started.replace('dist', 'src').replace('.js', '.ts'))).toBe(true);
  });
});

describe('optional packages of the image', () => {
  it('have a version that is tested', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>;
    };
    const compose = parse(read('deploy/compose/compose.yaml'), { merge: true }) as {
      services: Record<string, any>;
    };
    const asked = [
      /^ARG WITH="(.+)"$/m.exec(read('Dockerfile'))![1]!,
      compose.services['app-1'].build.args.WITH as string,
    ].flatMap((names) => names.split(' '));
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((name) => devDependencies[name] === undefined)).toEqual([]);
  });
});

describe('the other files for running it', () => {
  const seconds = (text: string) => Number(/^(\d+)s?$/.exec(text)?.[1]);

  it('give an instance of the compose file the time to drain, and settings that exist', () => {
    const compose = parse(read('deploy/compose/compose.yaml'), { merge: true }) as {
      services: Record<string, any>;
    };
    const { services } = compose;
    for (const name of ['app-1', 'app-2', 'migrate']) {
      const { environment, stop_grace_period: grace, read_only: isReadOnly } = services[name];
      expect(Object.keys(environment).filter((each) => !isSetting(each))).toEqual([]);
      expect(seconds(grace)).toBeGreaterThanOrEqual(Number(environment.DRAIN_SECONDS) + CLOSE_GRACE_SECONDS);
      expect(isReadOnly).toBe(true);
    }
    expect(services['migrate'].command).toEqual(['dist/app/migrate.js']);
    const mounted = Object.values(services).flatMap(({ volumes = [] }) => volumes as string[]);
    const own = mounted.map((mount) => mount.split(':')[0]!).filter((path) => path.startsWith('.'));
    expect(own).toHaveLength(5);
    for (const path of own) expect(existsSync(join('deploy/compose', path))).toBe(true);
  });

  it('do not let the proxy of the compose file hold back a stream', () => {
    const conf = read('deploy/compose/nginx.conf');
    for (const line of [
      'proxy_buffering off;',
      'proxy_http_version 1.1;',
      'gzip off;',
      'proxy_set_header Connection "";',
    ])
      expect(conf).toContain(line);
    expect(conf).not.toContain('$request ');
    for (const name of ['app-1', 'app-2']) expect(conf).toContain(`server ${name}:3000;`);
  });

  it('let systemd wait for the drain, and not restart what a restart does not help', () => {
    const unit = read('deploy/systemd/agent-stream.service');
    const drain = Number(/DRAIN_SECONDS=(\d+)/.exec(unit)?.[1]);
    expect(Number(/TimeoutStopSec=(\d+)/.exec(unit)?.[1])).toBeGreaterThanOrEqual(
      drain + CLOSE_GRACE_SECONDS,
    );
    expect(unit).toContain('RestartPreventExitStatus=78');
    expect(unit).toContain('User=agent-stream');
  });
});
