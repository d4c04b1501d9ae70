/*
 * `gdal s2clr COMMAND ...` in GDAL 3.11 and later: every command with the arguments of its table,
 * run by the program s2clr as a child process.
 */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal.h>

#include "plugin.h"

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 11, 0)

#include <gdalalgorithm.h>

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "logic.h"
#include "report.h"

extern "C" {
#include "base/memory.h"
#include "command_tables.h"
#include "program/program_call.h"
#include "program/program_find.h"
}

namespace
{

struct Listener {
    GDALProgressFunc call;
    void *context;
};

bool on_progress(void *context, double fraction, const char *message)
{
    const auto *listener = static_cast<const Listener *>(context);
    return !listener->call || listener->call(fraction, message, listener->context);
}

/* One argument: the row it stands for and the value GDAL writes into. */
struct Slot {
    const s2clr_program_row *row;
    const GDALAlgorithmArg *arg = nullptr;
    bool flag = false;
    int whole = 0;
    double real = 0;
    std::string text{};
    std::vector<std::string> texts{};
    std::vector<int> wholes{};
    std::vector<double> reals{};
};

/* The value as the program reads it; flags have none. */
std::vector<std::string> words_of(const Slot &slot)
{
    const auto join = [](const auto &list, const char *format) {
        std::string all;
        for (const auto &one : list)
            all += (all.empty() ? "" : ",") + std::string(CPLSPrintf(format, one));
        return std::vector<std::string>{all};
    };
    switch (slot.row->type) {
    case S2CLR_PROGRAM_INT:
        return join(std::vector<int>{slot.whole}, "%d");
    case S2CLR_PROGRAM_REAL:
        return join(std::vector<double>{slot.real}, "%.17g");
    case S2CLR_PROGRAM_WINDOW_INT:
        return join(slot.wholes, "%d");
    case S2CLR_PROGRAM_WINDOW_REAL:
        return join(slot.reals, "%.17g");
    default:
        return slot.row->repeat ? slot.texts : std::vector<std::string>{slot.text};
    }
}

/* "import" of "dataset import". */
const char *last_word(const char *name)
{
    const char *blank = strchr(name, ' ');
    return blank ? blank + 1 : name;
}

class Command final : public GDALAlgorithm
{
  public:
    /* Takes the table over. */
    explicit Command(s2clr_program_table *table)
        : GDALAlgorithm(last_word(s2clr_program_table_name(table)),
                        s2clr_program_table_summary(table), ""),
          m_table(table, s2clr_program_table_free)
    {
        m_longDescription = s2clr_program_table_description(table);
        AddProgressArg();
        for (size_t i = 0; i < s2clr_program_table_count(table); i++) {
            const s2clr_program_row *row = s2clr_program_table_row(table, i);
            if (row->own) continue;
            m_slots.push_back(Slot{row});
            describe(m_slots.back());
        }
        AddOutputStringArg(&m_text);
    }

  private:
    std::unique_ptr<s2clr_program_table, decltype(&s2clr_program_table_free)> m_table;
    std::deque<Slot> m_slots{}; /* GDAL keeps pointers into them */
    std::string m_text{};

    GDALInConstructionAlgorithmArg &add_window(const Slot &slot,
                                               GDALInConstructionAlgorithmArg &arg)
    {
        std::string meta = slot.row->meta ? slot.row->meta : "";
        for (char &c : meta)
            if (c == ' ') c = ',';
        return arg.SetMinCount(4).SetMaxCount(4).SetRepeatedArgAllowed(false).SetMetaVar(meta);
    }

    GDALInConstructionAlgorithmArg &add(Slot &slot)
    {
        const s2clr_program_row *row = slot.row;
        const std::string name = row->name;
        std::string help = row->help;
        /* GDAL goes on with ". NAME=a|b". */
        if (row->choice_count && !help.empty() && help.back() == '.') help.pop_back();
        const char letter = row->short_name ? row->short_name[0] : '\0';
        switch (row->type) {
        case S2CLR_PROGRAM_FLAG:
            return AddArg(name, letter, help, &slot.flag);
        case S2CLR_PROGRAM_INT: {
            auto &arg = AddArg(name, letter, help, &slot.whole);
            return row->standard ? arg.SetDefault(std::atoi(row->standard)) : arg;
        }
        case S2CLR_PROGRAM_REAL: {
            auto &arg = AddArg(name, letter, help, &slot.real);
            return row->standard ? arg.SetDefault(CPLAtof(row->standard)) : arg;
        }
        case S2CLR_PROGRAM_WINDOW_INT:
            return add_window(slot, AddArg(name, letter, help, &slot.wholes));
        case S2CLR_PROGRAM_WINDOW_REAL:
            return add_window(slot, AddArg(name, letter, help, &slot.reals));
        default:
            break;
        }
        if (row->repeat)
            return AddArg(name, letter, help, &slot.texts)
                .SetPackedValuesAllowed(false)
                .SetMinCount(row->required ? 1 : 0);
        auto &arg = AddArg(name, letter, help, &slot.text);
        return row->standard ? arg.SetDefault(row->standard) : arg;
    }

    void describe(Slot &slot)
    {
        const s2clr_program_row *row = slot.row;
        auto &arg = add(slot);
        slot.arg = &arg;
        const bool window =
            row->type == S2CLR_PROGRAM_WINDOW_INT || row->type == S2CLR_PROGRAM_WINDOW_REAL;
        if (row->meta && !window) arg.SetMetaVar(row->meta);
        if (row->ranged) arg.SetMinValueIncluded(row->minimum).SetMaxValueIncluded(row->maximum);
        if (row->choice_count) {
            std::vector<std::string> choices(row->choices, row->choices + row->choice_count);
            arg.SetChoices(choices);
        }
        if (row->positional) arg.SetPositional();
        if (row->required) arg.SetRequired();
        if (!row->required) arg.SetCategory(row->advanced ? GAAC_ADVANCED : row->group);
    }

    s2clr_status fill(s2clr_program_call *call) const
    {
        for (const Slot &slot : m_slots) {
            if (!slot.arg->IsExplicitlySet()) continue;
            if (slot.row->type == S2CLR_PROGRAM_FLAG) {
                if (slot.flag) S2CLR_TRY(s2clr_program_call_add(call, slot.row, nullptr));
                continue;
            }
            for (const std::string &word : words_of(slot))
                S2CLR_TRY(s2clr_program_call_add(call, slot.row, word.c_str()));
        }
        /* --quiet is GDAL's own, since 3.12; what it means for the program is in the program. */
        const GDALAlgorithmArg *quiet = GetArg("quiet");
        const s2clr_program_row *row = s2clr_program_table_find(m_table.get(), "quiet");
        if (row && quiet && quiet->GetType() == GAAT_BOOLEAN && quiet->Get<bool>())
            S2CLR_TRY(s2clr_program_call_add(call, row, nullptr));
        const CPLStringList options(CPLGetConfigOptions());
        for (int i = 0; i < options.size(); i++)
            S2CLR_TRY(s2clr_program_call_set(call, options[i]));
        return S2CLR_OK;
    }

    s2clr_status run(const s2clr_program_call *call, Listener *listener)
    {
        const s2clr_progress progress = {on_progress, listener, nullptr};
        s2clr_program_result result;
        char *program;
        S2CLR_TRY(s2clr_program_find(nullptr, &program));
        const s2clr_status status = s2clr_program_call_run(call, program, &progress, &result);
        s2clr_free(program);
        if (status != S2CLR_OK) return status;
        m_text = result.text;
        const CPLStringList warnings(CSLTokenizeString2(result.warnings, "\n", 0));
        for (int i = 0; i < warnings.size(); i++)
            CPLError(CE_Warning, CPLE_AppDefined, "%s", warnings[i]);
        s2clr_program_result_free(&result);
        return S2CLR_OK;
    }

    bool RunImpl(GDALProgressFunc progress, void *data) override
    {
        Listener listener = {progress, data};
        s2clr_program_call *call;
        s2clr_status status = s2clr_program_call_new(m_table.get(), &call);
        if (status == S2CLR_OK) {
            status = fill(call);
            if (status == S2CLR_OK) status = run(call, &listener);
            s2clr_program_call_free(call);
        }
        if (status != S2CLR_OK) report_failure(status, CPLE_AppDefined);
        return status == S2CLR_OK;
    }
};

std::unique_ptr<GDALAlgorithm> make_command(const char *name)
{
    s2clr_program_table *table;
    const s2clr_status status =
        s2clr_program_table_read(s2clr_command_json, strlen(s2clr_command_json), name, &table);
    if (status == S2CLR_OK) return std::make_unique<Command>(table);
    report_failure(status, CPLE_AppDefined);
    return nullptr;
}

/* gdal s2clr, gdal s2clr dataset: only places for the others. */
class Commands final : public GDALAlgorithm
{
  public:
    /* family: "" or the first word of names of two. */
    explicit Commands(const std::string &family)
        : GDALAlgorithm(family.empty() ? "s2clr" : family,
                        family.empty() ? "Irrigation mapping from Sentinel-2 with S2CLR."
                                       : "Commands of S2CLR that begin with " + family + ".",
                        ""),
          m_path(family.empty() ? "s2clr" : "s2clr " + family)
    {
        std::set<std::string> families;
        for (const char *const *at = s2clr_command_names; *at; at++) {
            const char *const name = *at;
            const std::string first = last_word(name) == name
                                          ? std::string()
                                          : std::string(name, last_word(name) - name - 1);
            if (first == family)
                add(last_word(name), [name] { return make_command(name); });
            else if (family.empty() && families.insert(first).second)
                add(first, [first] { return std::make_unique<Commands>(first); });
        }
    }

  private:
    std::string m_path;

    void add(const std::string &name, const std::function<std::unique_ptr<GDALAlgorithm>()> &make)
    {
        GDALAlgorithmRegistry::AlgInfo info;
        info.m_name = name;
        info.m_creationFunc = make;
        RegisterSubAlgorithm(info);
    }

    bool RunImpl(GDALProgressFunc, void *) override
    {
        CPLError(CE_Failure, CPLE_AppDefined,
                 "gdal %s wants a command; \"gdal %s --help\" lists them", m_path.c_str(),
                 m_path.c_str());
        return false;
    }
};

} // namespace

void s2clr_gdal_cli_register(void)
{
    GDALGlobalAlgorithmRegistry &registry = GDALGlobalAlgorithmRegistry::GetSingleton();
    if (registry.HasDeclaredSubAlgorithm({"s2clr"})) return;
    registry.DeclareAlgorithm({"s2clr"}, [] { return std::make_unique<Commands>(""); });
}

#else

/* GDAL before 3.11 has no such command line. */
void s2clr_gdal_cli_register(void)
{
}

#endif
