import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const river: MantineColorsTuple = [
  '#edf4fa',
  '#d7e6f3',
  '#abcbe6',
  '#7caed8',
  '#5594cb',
  '#3b83c3',
  '#2a74b5',
  '#1d609b',
  '#134f84',
  '#0b3c68',
];

const dark: MantineColorsTuple = [
  '#dfe6ed',
  '#c3ced9',
  '#97a5b4',
  '#6c7c8d',
  '#33404d',
  '#26303b',
  '#1a222b',
  '#10161c',
  '#0c1116',
  '#080c10',
];

const gray: MantineColorsTuple = [
  '#f7f9fb',
  '#f1f4f7',
  '#e3e8ed',
  '#d3dae2',
  '#bcc6d0',
  '#909dab',
  '#667281',
  '#4b5766',
  '#303b48',
  '#18202a',
];

const small = { defaultProps: { size: 'xs' } };
/** The list opens by a click, a letter or the arrow: a form that opens must not hide its own fields. */
const quiet = { defaultProps: { size: 'xs', openOnFocus: false } };

export const theme = createTheme({
  primaryColor: 'river',
  primaryShade: { light: 7, dark: 6 },
  colors: { river, dark, gray },
  black: '#18202a',
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  radius: { xs: '2px', sm: '4px', md: '6px', lg: '8px', xl: '12px' },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '18px', lineHeight: '28px' },
      h2: { fontSize: '14px', lineHeight: '20px' },
      h3: { fontSize: '13px', lineHeight: '20px' },
    },
  },
  components: {
    Button: small,
    TextInput: small,
    PasswordInput: small,
    NumberInput: small,
    Select: quiet,
    MultiSelect: quiet,
    Autocomplete: quiet,
    TagsInput: quiet,
    Textarea: small,
    NativeSelect: small,
    Checkbox: small,
    Switch: small,
    SegmentedControl: small,
    Pill: small,
    Tooltip: {
      defaultProps: { openDelay: 300, transitionProps: { duration: 80 }, withArrow: false, fz: 12 },
    },
    Modal: {
      styles: { title: { fontSize: 15, fontWeight: 600 } },
      defaultProps: {
        transitionProps: { duration: 100 },
        centered: true,
        radius: 'md',
        closeButtonProps: { 'aria-label': 'Close' },
      },
    },
    Drawer: { defaultProps: { transitionProps: { duration: 120 } } },
    Menu: { defaultProps: { transitionProps: { duration: 80 }, shadow: 'sm' } },
    Popover: { defaultProps: { transitionProps: { duration: 80 }, shadow: 'sm' } },
  },
});

/** Our own tokens are in tokens.css; here Mantine's are pointed at them, so that there is one source. */
export const variables: CSSVariablesResolver = () => {
  const shared = {
    '--mantine-color-body': 'var(--n-bg)',
    '--mantine-color-text': 'var(--n-text)',
    '--mantine-color-dimmed': 'var(--n-dim)',
    '--mantine-color-placeholder': 'var(--n-faint)',
    '--mantine-color-default': 'var(--n-panel)',
    '--mantine-color-default-hover': 'var(--n-sunken)',
    '--mantine-color-default-border': 'var(--n-line-strong)',
    '--mantine-color-error': 'var(--n-bad)',
    '--mantine-color-anchor': 'var(--n-accent)',
  };
  return { variables: {}, light: shared, dark: shared };
};
