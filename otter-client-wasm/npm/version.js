/** The release of this package. Tabs of different releases do not share a worker. */
export const VERSION = '0.1.0';
