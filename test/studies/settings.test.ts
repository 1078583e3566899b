import { describe, expect, it } from 'vitest';
import { UsageError } from '../../models/errors.ts';
import {
  formatSettings,
  nonNegativeSetting,
  parseSettings,
  splitAssignments,
  textSetting,
  wholeNumberSetting,
} from '../../studies/settings.ts';
import type { Settings } from '../../studies/study.ts';

const study = {
  name: 'toy',
  settings: [
    wholeNumberSetting('d', 'dimension', 5),
    wholeNumberSetting('N', 'training length', 20),
    wholeNumberSetting('M', 'test length', 'N'),
    textSetting('covariance', 'covariance', 'identity'),
    nonNegativeSetting('noiseVariance', 'noise', 0),
  ],
  task(settings: Settings) {
    if (settings['covariance'] === 'nonsense') {
      throw new UsageError({ where: 'covariance', expected: 'a covariance', got: 'nonsense' });
    }
    return {
      name: 'linear-regression',
      dimension: Number(settings['d']),
      covariance: { kind: 'identity' },
      taskCovariance: { kind: 'identity' },
      noiseVariance: 0,
    } as const;
  },
};

describe('splitAssignments', () => {
  it.each([
    ['d=5', ['d=5']],
    ['d=5,N=20', ['d=5', 'N=20']],
    ['covariance=[2,1,.5],d=3', ['covariance=[2,1,.5]', 'd=3']],
    ['covariance=[[1,.5],[.5,1]],d=2', ['covariance=[[1,.5],[.5,1]]', 'd=2']],
    ['covariance=power(1.5),N=7', ['covariance=power(1.5)', 'N=7']],
    ['', ['']],
  ])('%s', (text, parts) => {
    expect(splitAssignments(text)).toEqual(parts);
  });

  it.each(['covariance=[2,1', 'covariance=2]', 'covariance=[2,1)'])('refuses %s', (text) => {
    expect(() => splitAssignments(text)).toThrow(UsageError);
  });
});

describe('parseSettings', () => {
  const defaults = { d: 5, N: 20, M: 20, covariance: 'identity', noiseVariance: 0 };

  it.each([
    [[], defaults],
    [['d=3'], { ...defaults, d: 3 }],
    [['N=40'], { ...defaults, N: 40, M: 40 }],
    [['M=100, N = 40'], { ...defaults, N: 40, M: 100 }],
    [['d=3', 'covariance=[2,1,.5]'], { ...defaults, d: 3, covariance: '[2,1,.5]' }],
    [['noiseVariance=.25'], { ...defaults, noiseVariance: 0.25 }],
  ])('%j', (texts, expected) => {
    expect(parseSettings(study, texts)).toEqual(expected);
  });

  it.each([
    ['n=5', /one of d, N, M, covariance, noiseVariance, got "n"/],
    ['noisevariance=1', /Did you mean noiseVariance\?/],
    ['covarince=identity', /Did you mean covariance\?/],
    ['d', /key=value/],
    ['', /key=value/],
    ['d=', /--set d: expected a whole number, 1 or more, got ""/],
    ['d=five', /--set d: expected a whole number/],
    ['d=2.5', /--set d: expected a whole number/],
    ['d=0', /1 or more/],
    ['noiseVariance=-1', /0 or more/],
    ['noiseVariance=Infinity', /0 or more/],
    ['d=3,d=4', /expected one value, got two/],
    ['covariance=nonsense', /expected a covariance/],
  ])('refuses %j', (text, message) => {
    expect(() => parseSettings(study, [text])).toThrow(message);
    expect(() => parseSettings(study, [text])).toThrow(UsageError);
  });

  it('is undone by formatSettings', () => {
    for (const text of ['', 'd=3', 'N=40', 'N=40,M=100', 'd=2,covariance=[2,1],noiseVariance=0.5']) {
      const settings = parseSettings(study, text === '' ? [] : [text]);
      expect(formatSettings(study, settings)).toBe(text);
    }
  });
});
