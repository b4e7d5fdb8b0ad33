/** Whether the long forms of tests are asked for, as with those in Python. */
export const full = process.env.VIVIENNE_TEST_SIZE === 'full'
