/* The script and the style of a contact sheet, made into C by the build from contact_sheet.js and
 * contact_sheet.css. */
#ifndef S2CLR_REPORT_CONTACT_SHEET_TEXT_H
#define S2CLR_REPORT_CONTACT_SHEET_TEXT_H

extern const char s2clr_contact_sheet_script[], s2clr_contact_sheet_style[];

#endif
